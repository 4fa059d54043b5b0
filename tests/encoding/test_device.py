"""How many processors a model uses."""

from __future__ import annotations

import pytest

from persona_lab.detectors.registry import load_detector
from persona_lab.encoding import device
from persona_lab.errors import ModelError

VARIABLE = device.THREADS_VARIABLE


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(device, "available_cores", lambda: 4)


def test_all_processors_unless_told() -> None:
    assert device.usual_threads() == 4


def test_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "3")
    assert device.usual_threads() == 3


@pytest.mark.parametrize("told", ["many", "0", "-1", "1.5"])
def test_told_nonsense(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv(VARIABLE, told)
    with pytest.raises(ModelError, match=VARIABLE):
        device.usual_threads()


@pytest.mark.parametrize(("processes", "each"), [(1, 4), (2, 2), (3, 1), (9, 1)])
def test_sister_processes_share(monkeypatch: pytest.MonkeyPatch, processes: int, each: int) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)
    device.share_cores(processes)
    assert device.usual_threads() == each
    device.share_cores(1)  # what was told first stays
    assert device.usual_threads() == each


def test_a_detector_takes_threads_and_device() -> None:
    detector = load_detector("pooled", device="cpu", precision="int8", threads=1)
    encoder = detector.components[0].encoder  # type: ignore[attr-defined]
    assert (encoder.provider, encoder.precision) == ("CPUExecutionProvider", "int8")
    with pytest.raises(ModelError):
        load_detector("pooled", precision="fp32")
