"""The operator: dialogues or batches of rows in, columns of score fields out.

:class:`PersonalityScorer` is what both engines run and what people put into their own
pipelines. It is cheap to make and to pickle; the model is loaded where and when the first
batch is scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from persona_lab.detectors.base import Request
from persona_lab.dialogue import Dialogue
from persona_lab.errors import ModelError, SpeakerError
from persona_lab.filtering.batches import BatchOptions, score_batch
from persona_lab.filtering.fields import AGREES, COSTLY, Field, arrow_schema, ledger_fields
from persona_lab.filtering.lines import POSITION, Line, is_checked
from persona_lab.filtering.rules import Rule
from persona_lab.filtering.targets import TargetChoice, target_columns
from persona_lab.formats import parse_columns
from persona_lab.profile import ModelInfo, Unscored

if TYPE_CHECKING:
    import pyarrow as pa

    from persona_lab.consistency.judge import ConsistencyJudge
    from persona_lab.detectors.registry import LoadedDetector

Columns = dict[str, list[Any]]
"""Values by field name, all of one length."""

LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """How to score; two runs with the same settings and model give the same ledger.

    Attributes:
        detector: a name or folder.
        frameworks: names; empty for all that the detector knows.
        speaker: a name or role, ``all``, or None for the focus, else everybody.
        mask: hide words that name a type or trait.
        target: what ``target.*`` compares with; None for nothing.
        extra: consistency fields to compute.
        cascade: an expression; the lexical model scores first, and the detector those
            for which its intervals leave the expression undecided. None for no cascade.
    """

    detector: str = "default"
    frameworks: tuple[str, ...] = ()
    speaker: str | None = None
    mask: bool = True
    target: TargetChoice | None = None
    extra: tuple[str, ...] = ()
    cascade: str | None = None


class PersonalityScorer:
    """Scores dialogues into columns.

    As a function of a batch it works with ``ray.data.Dataset.map_batches`` (as a class or
    an object), ``datasets.Dataset.map(scorer, batched=True)`` and pandas::

        scored = scorer(frame)                      # a DataFrame in, a DataFrame out
        dataset.map(scorer, batched=True)
        ray_dataset.map_batches(PersonalityScorer, concurrency=2,
                                fn_constructor_kwargs={"speaker": "assistant"})

    Attributes:
        settings: how it scores.
    """

    def __init__(
        self,
        detector: str = "default",
        *,
        frameworks: Sequence[str] = (),
        speaker: str | None = None,
        mask: bool = True,
        target: str | Mapping[str, float] | None = None,
        fields: Sequence[str] = (),
        format: str = "auto",
        columns: str | Mapping[str, str] | None = None,
        record: str | None = None,
        each_speaker: bool = False,
        settings: ScorerSettings | None = None,
    ) -> None:
        """Make a scorer; no model is loaded yet.

        Args:
            detector: a name or folder.
            frameworks: names; empty for all that the detector knows.
            speaker: whom to score; see :meth:`persona_lab.dialogue.Dialogue.choose`.
            mask: hide words that name a type or trait.
            target: gives the fields ``target.*``.
            fields: names of the fields to add to a batch; empty for those of the traits,
                ``words``, ``language``, ``status`` and ``code``.
            format: layout of the rows of a batch, as for ``read_dialogues``.
            columns: which column holds what, as for ``read_dialogues``.
            record: name of a column that holds the whole row as JSON text.
            each_speaker: give one row a speaker, the other columns repeated; without it
                a row with several speakers must have one chosen or is unscored.
            settings: all of the first five at once; they are ignored then.
        """
        self.settings = settings or ScorerSettings(
            detector,
            tuple(frameworks),
            speaker,
            mask,
            TargetChoice.parse(target) if target is not None else None,
            tuple(name for name in COSTLY if name in fields),
        )
        self._batches = BatchOptions(
            tuple(fields), format, parse_columns(columns), record, each_speaker
        )

    def __getstate__(self) -> dict[str, Any]:
        """Without the models: they are loaded again where they are needed."""
        return {k: v for k, v in vars(self).items() if k not in ("model", "first", "judge")}

    @cached_property
    def model(self) -> LoadedDetector:
        """The detector.

        Raises:
            ModelError: it cannot be loaded, or does not score a framework.
        """
        return self._load(self.settings.detector)

    @cached_property
    def first(self) -> LoadedDetector:
        """The lexical detector of a cascade.

        Raises:
            ModelError: it answers another question than the detector.
        """
        found = self._load(LEXICAL)
        if self.model.measure != found.measure:
            raise ModelError(
                f"in a cascade the model {LEXICAL!r} ({found.measure}) decides for the detector "
                f"{self.model.info.name!r} ({self.model.measure}), and the two questions are never "
                f"mixed; add --measure {found.measure}, or leave --cascade out"
            )
        return found

    def _load(self, name: str) -> LoadedDetector:
        from persona_lab.detectors.registry import load_detector
        from persona_lab.detectors.screening import Options

        found = load_detector(name, options=Options(mask=self.settings.mask))
        known = {framework.name for framework in found.frameworks}
        for wanted in self.settings.frameworks:
            if wanted not in known:
                raise ModelError(
                    f"the detector {found.info.name!r} does not score {wanted!r}; it scores: "
                    f"{', '.join(sorted(known))}"
                )
        return found

    @cached_property
    def judge(self) -> ConsistencyJudge:
        """Scores consistency.

        Raises:
            ModelError: a model that it needs is not there.
        """
        from persona_lab.filtering.consistency import make_judge

        return make_judge(self.model, self.settings.extra)

    def warm_up(self) -> list[ModelInfo]:
        """Load all models now, so that what is wrong with them shows at once.

        Returns:
            What was loaded, the detector first.
        """
        loaded = [self.model.info]
        if self.settings.cascade is not None:
            loaded.append(self.first.info)
        if self.settings.extra:
            loaded.append(self.judge.info)
        return loaded

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Names of the frameworks that are scored."""
        return self.settings.frameworks or tuple(f.name for f in self.model.frameworks)

    @property
    def fields(self) -> dict[str, Field]:
        """All fields that :meth:`score` fills."""
        return ledger_fields(
            self.frameworks,
            target=self.settings.target is not None,
            extra=self.settings.extra,
            cascade=self.settings.cascade is not None,
        )

    def score(self, dialogues: Sequence[Dialogue]) -> Columns:
        """Score dialogues.

        Returns:
            The columns of :attr:`fields` that depend on the dialogue alone, and
            ``position``; one line a speaker, at least one a dialogue, in order. What
            could not be scored has its reason, and no value in the fields of traits.
        """
        lines = [line for i, d in enumerate(dialogues) for line in self._plan(i, d)]
        if self.settings.cascade is not None:
            return self._cascade(lines, self.settings.cascade)
        self._ask(self.model, lines)
        self._judge(lines)
        return self._columns_of(lines)

    def _cascade(self, lines: list[Line], expression: str) -> Columns:
        """The lexical model decides where it is sure of the expression, else the detector.

        Costly fields come last, and stay unknown where the expression is false whatever
        they are.

        Of those that the lexical model decided, one in twenty is scored by the detector as
        well, to see whether it agrees; its scores are not kept.
        """
        rule = Rule(expression, {name: one.kind for name, one in self.fields.items()})
        self._ask(self.first, lines)
        early = rule.certain(self._table(lines)).to_pylist()
        self._ask(
            self.model, [line for line, sure in zip(lines, early, strict=True) if sure is None]
        )
        told = rule.evaluate(self._table(lines)).to_pylist()
        known = [said if sure is None else sure for sure, said in zip(early, told, strict=True)]
        self._judge([line for line, kept in zip(lines, known, strict=True) if kept is not False])
        sure = [at for at, decided in enumerate(early) if decided is not None]
        sample = [at for at in sure if is_checked(lines[at])]
        again = [replace(lines[at]) for at in sample]
        self._ask(self.model, again)
        self._judge([line for line in again if not line.extra])
        agrees: list[bool | None] = [None] * len(lines)
        for at, said in zip(sample, rule.evaluate(self._table(again)).to_pylist(), strict=True):
            agrees[at] = None if said is None else said == early[at]
        return self._columns_of(lines) | {AGREES: agrees}

    def _judge(self, lines: Sequence[Line]) -> None:
        """Fill in the costly fields."""
        if not self.settings.extra:
            return
        from persona_lab.filtering.consistency import consistency_values

        named = [(line, line.speaker) for line in lines if line.speaker is not None]
        wanted = [(line.dialogue, name) for line, name in named]
        found = consistency_values(self.judge, wanted, self.settings.extra)
        for (line, _), values in zip(named, found, strict=True):
            line.extra = values

    def _table(self, lines: Sequence[Line]) -> pa.Table:
        import pyarrow as pa

        columns = self._columns_of(lines)
        schema = arrow_schema(self.fields)
        return pa.table(
            {name: columns.get(name, [None] * len(lines)) for name in schema.names}, schema=schema
        )

    def _plan(self, position: int, dialogue: Dialogue) -> list[Line]:
        wanted = self.settings.speaker if dialogue.utterances else None
        try:
            names = dialogue.choose(wanted)
        except SpeakerError as error:
            missing = Unscored(dialogue.id, wanted, None, str(error), "no_speaker")
            return [Line(position, dialogue, wanted, missing)]
        if not names:
            empty = Unscored(dialogue.id, None, None, "the dialogue has no turns", "no_words")
            return [Line(position, dialogue, None, empty)]
        return [Line(position, dialogue, name) for name in names]

    def _ask(self, model: LoadedDetector, lines: Sequence[Line]) -> None:
        asked = [line for line in lines if line.problem is None]
        requests = [Request.of(line.dialogue, line.speaker or "") for line in asked]
        answers = model.profiles(requests, frameworks=self.frameworks)
        for line in asked:
            line.model = model.info
            line.results = {name: next(answers) for name in self.frameworks}

    def _columns_of(self, lines: Sequence[Line]) -> Columns:
        rows = [line.values(self.frameworks) for line in lines]
        names = [POSITION, *(name for name in self.fields if rows and name in rows[0])]
        columns = {name: [row[name] for row in rows] for name in names}
        speakers = [(line.dialogue, line.speaker) for line in lines]
        if self.settings.target is not None:
            columns |= target_columns(self.settings.target, speakers, columns, self.model)
        for name in self.settings.extra:
            columns[name] = [line.extra.get(name) for line in lines]
        return columns

    def __call__(self, batch: Any) -> Any:
        """Score a batch of rows.

        Args:
            batch: a mapping of columns (lists or numpy arrays), or a pandas DataFrame.

        Returns:
            The same kind, with columns added (or repeated, see ``each_speaker``).
        """
        return score_batch(self, batch, self._batches)
