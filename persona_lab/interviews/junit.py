"""Results as JUnit XML, which every CI can show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from persona_lab.wholefile import write_whole

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Attributes:
        group: what it belongs to, for example a persona and protocol.
        name: for example a trait.
        outcome: ``skipped`` is what could not be told.
        message: why, one sentence; shown for passed cases, too.
    """

    group: str
    name: str
    outcome: Literal["passed", "failed", "skipped"]
    message: str


def write_junit(path: Path, name: str, cases: Sequence[Case]) -> None:
    """Write a file of test cases.

    Args:
        path: where.
        name: of the test suite.
        cases: in order.

    Raises:
        PersonaLabError: it cannot be written.
    """
    counts = {kind: sum(c.outcome == kind for c in cases) for kind in ("failed", "skipped")}
    attributes = {
        "name": _clean(name),
        "tests": str(len(cases)),
        "failures": str(counts["failed"]),
        "errors": "0",
        "skipped": str(counts["skipped"]),
    }
    root = ElementTree.Element("testsuites", attributes)
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    for case in cases:
        element = ElementTree.SubElement(
            suite, "testcase", {"classname": _clean(case.group), "name": _clean(case.name)}
        )
        message = _clean(case.message)
        if case.outcome == "failed":
            ElementTree.SubElement(element, "failure", {"message": message}).text = message
        elif case.outcome == "skipped":
            ElementTree.SubElement(element, "skipped", {"message": message})
        else:
            ElementTree.SubElement(element, "system-out").text = message
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", xml_declaration=True)
    write_whole(path, text + "\n")


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
