"""Exports that keep all branches of a chat as a tree: the branch that was kept is the chat.

ChatGPT, OpenWebUI, Claude and OpenAssistant let a question be asked again, and an answer be
written anew. What was left for another branch is no part of the talk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from persona_lab.formats.records import lookup, whole
from persona_lab.formats.turn_lists import Turn, is_turn, turns_of

_NODES = ("mapping", "chat.history.messages", "history.messages")
_CURRENT = (
    "current_node", "chat.history.currentId", "history.currentId", "current_leaf_message_uuid",
)  # fmt: skip
_PARENT_KEYS = ("parent", "parentId", "parent_message_uuid", "parent_id", "parent_message_id")
_OWN_KEYS = ("id", "uuid", "message_id")
_LISTS = ("chat_messages", "messages")
_FIRST = ("prompt", "root")
_REPLIES = "replies"


def branch_of(record: Mapping[str, Any]) -> list[Turn] | None:
    """The turns of a chat that is kept as a tree.

    Args:
        record: one chat of an export.

    Returns:
        None for a record that holds no tree.

    Raises:
        BadRow: a turn on the branch cannot be read.
    """
    for key in _NODES:
        nodes = lookup(record, key)
        if isinstance(nodes, Mapping) and nodes and all(map(_has_parent, nodes.values())):
            named = {str(name): node for name, node in nodes.items()}
            return turns_of([*_messages(_path(named, _current(record)))], key)
    for key in _FIRST:
        if isinstance(first := record.get(key), Mapping) and _REPLIES in first and is_turn(first):
            return turns_of(_best_path(first), key)
    if isinstance(record.get(_REPLIES), list) and is_turn(record):
        return turns_of(_best_path(record), _REPLIES)
    for key in _LISTS:
        rows = record.get(key)
        if isinstance(rows, list) and (path := kept_branch(rows, _current(record))) is not None:
            return turns_of(path, key)
    return None


def kept_branch(rows: Sequence[Any], current: str | None = None) -> list[Mapping[str, Any]] | None:
    """The branch of rows that name their parents.

    Args:
        rows: turns in the order of the file.
        current: id of the last turn of the branch; None follows the best ranked replies.

    Returns:
        None where nothing branches: the rows are the chat as they stand.
    """
    if not rows or not all(map(_has_parent, rows)):
        return None
    named = {own: row for row in rows if (own := _own(row)) is not None}
    parents = [_parent(row) for row in rows]
    if len(named) != len(rows) or len(set(parents)) == len(parents):
        return None
    if current in named:
        return _path(named, current)
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for row, parent in zip(rows, parents, strict=True):
        children.setdefault(parent if parent in named else None, []).append(row)
    path: list[Mapping[str, Any]] = []
    following = children.get(None, [])
    while following and len(path) < len(rows):
        path.append(_best(following))
        following = children.get(_own(path[-1]), [])
    return path


def _path(nodes: Mapping[str, Mapping[str, Any]], last: str | None) -> list[Mapping[str, Any]]:
    """From the root to a node; to the last one that has no children where none is named."""
    if last not in nodes:
        parents = {_parent(node) for node in nodes.values()}
        last = next((name for name in reversed(list(nodes)) if name not in parents), None)
    path: list[Mapping[str, Any]] = []
    while last is not None and last in nodes and len(path) < len(nodes):
        path.append(nodes[last])
        last = _parent(path[-1])
    return path[::-1]


def _best_path(first: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    path = [first]
    while replies := [r for r in path[-1].get(_REPLIES) or () if isinstance(r, Mapping)]:
        path.append(_best(replies))
    return path


def _best(replies: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The reply that people ranked first; the first one where nobody did."""
    return min(replies, key=lambda reply: _rank(reply.get("rank")))


def _rank(rank: object) -> float:
    return float(rank) if isinstance(rank, (int, float)) else float("inf")


def _messages(path: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """The messages of nodes, less those that are hidden or speak to a tool."""
    for node in path:
        message = node.get("message", node)
        if not isinstance(message, Mapping) or not is_turn(message):
            continue
        hidden = lookup(message, "metadata.is_visually_hidden_from_conversation")
        if not hidden and message.get("recipient", "all") in ("all", None):
            yield message


def _has_parent(node: object) -> bool:
    return isinstance(node, Mapping) and any(key in node for key in _PARENT_KEYS)


def _parent(node: Mapping[str, Any]) -> str | None:
    return next((whole(node[key]) for key in _PARENT_KEYS if key in node), None)


def _own(row: Mapping[str, Any]) -> str | None:
    return next((found for key in _OWN_KEYS if (found := whole(row.get(key))) is not None), None)


def _current(record: Mapping[str, Any]) -> str | None:
    found = (whole(lookup(record, key)) for key in _CURRENT)
    return next((name for name in found if name is not None), None)
