"""``persona-lab models``, and how commands are loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli import app
from persona_lab.cli.lazy import Entry, LazyGroup, build, unwrapped
from persona_lab.cli.output import plain
from persona_lab.detectors.registry import MODELS_VARIABLE
from persona_lab.errors import MissingExtraError


@pytest.fixture
def models(toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the toy model; bundled ones may be listed as well."""
    folder = tmp_path / "models"
    shutil.copytree(toy_model, folder / "toy")
    monkeypatch.setenv(MODELS_VARIABLE, str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return folder


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(map(str, args)), prog_name="persona-lab")
    assert result.exit_code == code, result.output
    return result


def test_the_list_names_what_can_be_loaded(models: Path) -> None:
    (line,) = (line for line in run("models", "list").stdout.splitlines() if "toy" in line)
    assert line.split() == [
        *("toy", "1.2", "bigfive,", "mbti", "self-report", "default", "knows", "ten", "words")
    ]
    entries = {entry["name"]: entry for entry in json.loads(run("models", "list", "--json").stdout)}
    assert entries["toy"] == {
        "name": "toy",
        "version": "1.2",
        "frameworks": ["bigfive", "mbti"],
        "default": True,
        "measure": "self-report",
        "summary": "knows ten words",
        "path": str(models / "toy"),
        "problem": None,
    }


def test_a_broken_model_is_listed_with_what_is_wrong(models: Path) -> None:
    (models / "bad").mkdir()
    (models / "bad" / "config.json").write_text("{")
    assert "damaged" in run("models", "list").stdout
    entries = {entry["name"]: entry for entry in json.loads(run("models", "list", "--json").stdout)}
    assert "damaged" in entries["bad"]["problem"] and entries["toy"]["problem"] is None


@pytest.mark.parametrize("by", ["name", "folder"])
def test_show_prints_the_card(models: Path, by: str) -> None:
    shown = run("models", "show", "toy" if by == "name" else models / "toy").stdout
    assert "The toy model" in shown and "Knows ten words." in shown  # rendered, no asterisks
    assert str((models / "toy").resolve()) in shown


def test_show_as_json_tells_the_facts(models: Path) -> None:
    facts = json.loads(run("models", "show", "toy", "--json").stdout)
    config = json.loads((models / "toy" / "config.json").read_text())
    assert facts["sha256"] == config["sha256"] and facts["components"] == {"lexical": "."}
    assert facts["path"] == str((models / "toy").resolve())
    assert "calibration" not in facts and "verified" not in facts


def test_the_size_counts_components_in_other_folders_once(models: Path) -> None:
    (models / "toy" / "encoder.onnx").write_bytes(bytes(2_500_000))
    shutil.copytree(
        models / "toy", models / "blend", ignore=shutil.ignore_patterns("*.npz", "*.onnx")
    )
    config = json.loads((models / "blend" / "config.json").read_text())
    config["components"] = {"lexical": "../toy", "pooled": "../toy"}
    (models / "blend" / "config.json").write_text(json.dumps(config))
    for name in ("toy", "blend"):
        facts = json.loads(run("models", "show", name, "--json").stdout)
        assert facts["size_mb"] == pytest.approx(2.5, abs=0.1), name


def test_verify_finds_changed_weights(models: Path) -> None:
    assert json.loads(run("models", "show", "toy", "--verify", "--json").stdout)["verified"] is True
    file = models / "toy" / "vocabulary.json"
    file.write_text(file.read_text().replace("party", "parts"))
    result = run("models", "show", "toy", "--verify", "--json", code=2)
    assert json.loads(result.stdout)["verified"] is False
    assert "are not those that its config was written for" in result.stderr
    file.unlink()
    assert "cannot verify" in run("models", "show", "toy", "--verify", code=2).stderr


def test_a_model_without_a_card(models: Path) -> None:
    (models / "toy" / "README.md").unlink()
    result = run("models", "show", "toy")
    assert "has no card" in result.stderr and "1.2" in result.stdout


def test_an_unknown_model(models: Path) -> None:
    result = run("models", "show", "oracle", code=2)
    assert result.stderr.startswith("Error: there is no model 'oracle'; models: ")
    assert "toy" in result.stderr


@pytest.mark.parametrize("args", [(), ("list",), ("show",), ("show", "toy", "--json")])
def test_every_command_explains_itself(models: Path, args: tuple[str, ...]) -> None:
    shown = run("models", *args[:1], "--help").stdout
    assert "Usage: persona-lab models" in shown
    if not args:
        assert "persona-lab models show blend" in shown


def test_the_version() -> None:
    from persona_lab import __version__

    assert run("--version").stdout == f"persona-lab {__version__}\n"


# how commands are loaded


def module(**names: object) -> ModuleType:
    """A command module."""
    made = ModuleType("made")
    vars(made).update(names)
    return made


def add(
    left: Annotated[int, typer.Argument(help="One.")],
    twice: Annotated[bool, typer.Option("--twice", help="Add it twice.")] = False,
) -> None:
    """Add one.

    A long text that is broken
    in the source.
    """
    typer.echo(left + (2 if twice else 1))


def test_a_function_becomes_a_command_with_its_options_and_examples() -> None:
    command = build(module(command=add, EXAMPLES=("add 1 [bold]",)), "add")
    assert command.name == "add"
    context = command.make_context("add", ["3", "--twice"])
    assert context.params == {"left": 3, "twice": True}
    assert command.help == "Add one.\n\nA long text that is broken in the source."
    assert "add 1 \\[bold]" in command.epilog


def group(entry: Entry) -> type[LazyGroup]:
    """A group of one command."""

    class Group(LazyGroup):
        entries = (entry,)

    return Group


def invoke(entry: Entry, *args: str) -> Result:
    """Run a group of one command."""
    own = typer.Typer(cls=group(entry))

    @own.callback()
    def _root() -> None:
        """A program."""

    return CliRunner().invoke(own, list(args))


def test_a_command_whose_module_is_not_there_is_left_out() -> None:
    result = invoke(Entry("gone", "persona_lab.cli.nothing", "Is gone."), "--help")
    assert result.exit_code == 0 and "gone" not in result.stdout
    result = invoke(Entry("gone", "persona_lab.cli.nothing", "Is gone."), "gone")
    assert result.exit_code == 2


def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> Entry:
    """A module that can be imported."""
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Entry(name, name, "Does something.", "train")


def test_a_module_is_imported_when_its_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "print('imported')\ndef command(n: int = 1) -> None:\n    print(n + 1)\n"
    entry = write_module(tmp_path, monkeypatch, "lazy_made", text)
    shown = invoke(entry, "--help").stdout
    assert "Does something." in shown and "imported" not in shown
    assert invoke(entry, "lazy_made", "--n", "4").stdout == "imported\n5\n"


def test_a_missing_optional_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = write_module(tmp_path, monkeypatch, "needs_more", "import no_such_package.part\n")
    with pytest.raises(MissingExtraError, match=r"pip install 'persona-lab\[train\]'"):
        entry.load()
    result = invoke(entry, "needs_more")
    assert result.exit_code == 2 and "no_such_package" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        ("PersonaLabError('bad\\nthing')", 2, "Error: bad thing\n"),
        ("KeyboardInterrupt", 130, "Interrupted\n"),
        ("BrokenPipeError", 141, ""),
    ],
)
def test_errors_become_a_line_and_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, code: int, says: str
) -> None:
    name = f"fails_with_{code}"
    text = (
        "from persona_lab.errors import PersonaLabError\n"
        f"def command() -> None:\n    raise {error}\n"
    )
    result = invoke(write_module(tmp_path, monkeypatch, name, text), name)
    assert (result.exit_code, result.stderr) == (code, says)


def test_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def command() -> None:\n    raise ZeroDivisionError\n"
    result = invoke(write_module(tmp_path, monkeypatch, "has_bug", text), "has_bug")
    assert isinstance(result.exception, ZeroDivisionError)


def test_all_commands_of_the_program_can_be_loaded() -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    from persona_lab.cli import _Commands

    for entry in _Commands.entries:
        if entry.exists():
            command = entry.load()
            assert command.name == entry.name and command.help, entry.name


def test_docstrings_are_wrapped_by_the_terminal() -> None:
    assert unwrapped("One\n    two.\n\n    Three\n    four.\n") == "One two.\n\nThree four."
    assert unwrapped(None) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\t c", "a b c"),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\u202eb\u200fc", "a b c"),
        ("Zoë 你好 \U0001f600", "Zoë 你好 \U0001f600"),
    ],
)
def test_texts_from_files_are_made_safe(text: str, shown: str) -> None:
    assert plain(text) == shown
