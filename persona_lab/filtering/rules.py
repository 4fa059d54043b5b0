"""Expressions such as ``extraversion.p_high >= 0.6 and words > 50``, over whole columns.

The language is that of SQL conditions, parsed by sqlglot: ``and or not``, ``= == != < <= >
>=``, ``in (...)``, ``between ... and ...``, ``like``, ``is null``, ``+ - * /``, numbers,
texts in quotes, ``true`` and ``false``. The parsed tree is translated node by node into
Arrow's vectorised functions; a node that is not in the list below is an error, so an
expression can neither call anything nor read anything but the fields it is given.

A comparison with an unknown value is unknown, and so on upwards (Kleene's three-valued
logic): ``false and unknown`` is false, ``true and unknown`` is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from persona_lab.filtering.fields import FieldError, Kind, unknown_field
from persona_lab.filtering.values import settle_values

if TYPE_CHECKING:
    import pyarrow as pa

Node = Any
"""A node of sqlglot's tree, whose classes have other names in other versions."""

_WHERE = "--keep"
_HELP = (
    "write conditions such as 'extraversion.p_high >= 0.6 and words > 50' with and, or, not, "
    "= != < <= > >=, in (...), between, like, is null, + - * / and texts in 'quotes'"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the conditions that ``and`` joins at the top of an expression.

    Attributes:
        text: as SQL, white space made even.
        fields: that it asks for.
        tree: of the parser.
    """

    text: str
    fields: tuple[str, ...]
    tree: Node


class Rule:
    """A checked expression.

    Attributes:
        text: as given.
        clauses: in order.
        fields: all that it asks for.
    """

    def __init__(self, text: str, kinds: Mapping[str, Kind], *, where: str = _WHERE) -> None:
        """Parse and check; nothing is evaluated.

        Args:
            text: the expression.
            kinds: what may be asked for, and what each field holds.
            where: the option, for messages.

        Raises:
            FieldError: it cannot be parsed, uses something that is not in the language,
                names an unknown field, or compares one with what it never holds.
        """
        self.text = text
        self._where = where
        self._kinds = kinds
        tree = self._parse(text)
        self.clauses = tuple(
            Clause(part.sql(), self._check(part), part) for part in _conjuncts(tree)
        )
        self.fields = tuple(dict.fromkeys(f for clause in self.clauses for f in clause.fields))

    def _parse(self, text: str) -> Node:
        from sqlglot import errors, parse_one
        from sqlglot import expressions as e

        try:
            tree: Node = parse_one(_python_quotes(text), into=e.Condition)
        except errors.SqlglotError:
            raise FieldError(f"{self._where} {text!r} is not an expression; {_HELP}") from None
        if _type(tree, self._kinds, self._fail) != "flag":
            raise self._fail("a condition must be true or false")
        try:
            settle_values(tree, field_name)
        except ValueError as error:
            raise FieldError(f"{self._where} {self.text!r}: {error}") from None
        return tree

    def _fail(self, what: str) -> FieldError:
        return FieldError(f"{self._where} {self.text!r}: {what}; {_HELP}")

    def _check(self, tree: Node) -> tuple[str, ...]:
        from sqlglot import expressions as e

        names = dict.fromkeys(field_name(column) for column in tree.find_all(e.Column))
        return tuple(sorted(names))

    def evaluate(self, table: pa.Table) -> pa.ChunkedArray:
        """Is the expression true? ``(n_rows,)`` booleans, null for unknown."""
        return _all(clause_values(clause, table) for clause in self.clauses)

    def certain(self, table: pa.Table) -> pa.ChunkedArray:
        """Is it true or false whatever value of its 90 % interval a probability has?

        ``t.p_high`` is taken to be anything from ``t.low`` to ``t.high``, and a label that
        abstains to be unknown.

        Returns:
            ``(n_rows,)`` booleans; null where it depends.
        """
        return _all(_evaluate(clause.tree, table, interval=True) for clause in self.clauses)


def clause_values(clause: Clause, table: pa.Table) -> pa.ChunkedArray:
    """Is one clause true? ``(n_rows,)`` booleans, null for unknown."""
    return _evaluate(clause.tree, table, interval=False)


def compared_numbers(tree: Node) -> Iterator[tuple[str, Node]]:
    """Comparisons of a field with a number: the field, and the number's node."""
    from sqlglot import expressions as e

    for node in tree.find_all(*_comparisons()):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, e.Column) and isinstance(other, e.Literal) and not other.is_string:
                yield field_name(one), other


def field_name(column: Node) -> str:
    """``extraversion.p_high`` from the parts of a column."""
    return ".".join(part.name for part in column.parts)


def _python_quotes(text: str) -> str:
    """Let "double quotes" be texts, too; SQL would take them for names."""
    return text.replace('"', "'") if "'" not in text else text


def _conjuncts(tree: Node) -> list[Node]:
    from sqlglot import expressions as e

    tree = tree.unnest()
    if isinstance(tree, e.And):
        return [*_conjuncts(tree.left), *_conjuncts(tree.right)]
    return [tree]


def _all(values: Iterable[Any]) -> Any:
    import pyarrow.compute as pc

    result = None
    for value in values:
        result = value if result is None else pc.and_kleene(result, value)
    return result


def _comparisons() -> dict[type, str]:
    from sqlglot import expressions as e

    return {
        e.EQ: "equal",
        e.NEQ: "not_equal",
        e.GT: "greater",
        e.GTE: "greater_equal",
        e.LT: "less",
        e.LTE: "less_equal",
    }


def _arithmetic() -> dict[type, str]:
    from sqlglot import expressions as e

    return {e.Add: "add", e.Sub: "subtract", e.Mul: "multiply", e.Div: "divide"}


def _type(node: Node, kinds: Mapping[str, Kind], fail: Callable[[str], FieldError]) -> str:
    """What a node gives: number, text or flag. Whatever is not in the language fails."""
    from sqlglot import expressions

    e: Any = expressions

    def of(part: Node, wanted: str) -> str:
        found = _type(part, kinds, fail)
        if found != wanted:
            raise fail(f"{part.sql()!r} is a {found} where a {wanted} is needed")
        return found

    if isinstance(node, e.Column):
        name = field_name(node)
        if name not in kinds:
            raise unknown_field(name, kinds, where=_WHERE)
        return "number" if kinds[name] == "count" else kinds[name]
    if isinstance(node, e.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, e.Boolean):
        return "flag"
    if isinstance(node, e.Paren):
        return _type(node.this, kinds, fail)
    if isinstance(node, (e.And, e.Or)):
        of(node.left, "flag")
        return of(node.right, "flag")
    if isinstance(node, e.Not):
        return of(node.this, "flag")
    if isinstance(node, e.Is) and isinstance(node.expression, e.Null):
        _type(node.this, kinds, fail)
        return "flag"
    if type(node) in _comparisons():
        if _type(node.left, kinds, fail) == "flag" and isinstance(node.left, tuple(_comparisons())):
            raise fail("comparisons cannot be chained; join two of them with 'and'")
        of(node.right, _type(node.left, kinds, fail))
        return "flag"
    if isinstance(node, e.Between):
        for part in (node.this, node.args["low"], node.args["high"]):
            of(part, "number")
        return "flag"
    if isinstance(node, e.In) and node.expressions and not node.args.get("query"):
        kind = _type(node.this, kinds, fail)
        for value in node.expressions:
            if not isinstance(value, (e.Literal, e.Neg)):
                raise fail(f"'in' takes a list of values, not {value.sql()!r}")
            of(value, kind)
        return "flag"
    if isinstance(node, e.Like) and isinstance(node.expression, e.Literal):
        of(node.this, "text")
        of(node.expression, "text")
        return "flag"
    if isinstance(node, e.Neg):
        return of(node.this, "number")
    if type(node) in _arithmetic():
        of(node.left, "number")
        return of(node.right, "number")
    raise fail(f"{node.sql()!r} is not in the language")


def _evaluate(node: Node, table: pa.Table, *, interval: bool) -> Any:
    """Translate one node; :func:`_type` has refused all others."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from sqlglot import expressions as e

    def value(part: Node) -> Any:
        return _evaluate(part, table, interval=interval)

    if isinstance(node, e.Column):
        return _column(field_name(node), table, interval=interval)
    if isinstance(node, e.Literal):
        return pa.scalar(node.this if node.is_string else float(node.this))
    if isinstance(node, e.Boolean):
        return pa.chunked_array([pa.repeat(node.this, len(table))])
    if isinstance(node, e.Paren):
        return value(node.this)
    if isinstance(node, e.And):
        return pc.and_kleene(value(node.left), value(node.right))
    if isinstance(node, e.Or):
        return pc.or_kleene(value(node.left), value(node.right))
    if isinstance(node, e.Not):
        return pc.invert(value(node.this))
    if isinstance(node, e.Is):
        return pc.is_null(value(node.this))
    if isinstance(node, e.Between):
        low = e.GTE(this=node.this, expression=node.args["low"])
        high = e.LTE(this=node.this, expression=node.args["high"])
        return pc.and_kleene(value(low), value(high))
    if isinstance(node, e.In):
        equal = [e.EQ(this=node.this, expression=one) for one in node.expressions]
        result = value(equal[0])
        for one in equal[1:]:
            result = pc.or_kleene(result, value(one))
        return result
    if isinstance(node, e.Like):
        return pc.match_like(value(node.this), node.expression.this)
    if isinstance(node, e.Neg):
        return pc.negate(value(node.this))
    if type(node) in _arithmetic():
        return pc.call_function(_arithmetic()[type(node)], [value(node.left), value(node.right)])
    compare = _comparisons()[type(node)]
    if interval:
        return _compare_interval(node, compare, table)
    return pc.call_function(compare, [value(node.left), value(node.right)])


def _column(name: str, table: pa.Table, *, interval: bool) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[name]
    if pa.types.is_integer(column.type):
        return column.cast(pa.float64())  # counts divide as numbers do
    if interval and name.endswith(".label"):
        return pc.if_else(pc.equal(column, "abstain"), pa.scalar(None, pa.string()), column)
    return column


def _compare_interval(node: Node, compare: str, table: pa.Table) -> Any:
    """A comparison whose sides may be probabilities anywhere in their intervals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    outcomes = []
    for left in _ends(node.left, table):
        for right in _ends(node.right, table):
            outcomes.append(pc.call_function(compare, [left, right]))
    first, same = outcomes[0], None
    for other in outcomes[1:]:
        equal = pc.equal(first, other)
        same = equal if same is None else pc.and_kleene(same, equal)
    if same is None:
        return first
    return pc.if_else(same, first, pa.scalar(None, pa.bool_()))


def _ends(side: Node, table: pa.Table) -> list[Any]:
    """Both ends of a probability's interval, or the only value of anything else."""
    from sqlglot import expressions as e

    if isinstance(side, e.Column) and (name := field_name(side)).endswith(".p_high"):
        trait = name.removesuffix(".p_high")
        return [table[f"{trait}.low"], table[f"{trait}.high"]]
    return [_evaluate(side, table, interval=True)]
