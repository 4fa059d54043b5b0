"""Models that are functions or programs, and the specs that name them."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from persona_lab.llm import (
    ChatRequest,
    LLMBadReply,
    LLMBadRequest,
    LLMError,
    LLMUnavailable,
    Message,
    TokenLogprobs,
    open_chat_model,
)
from persona_lab.llm.callable import CallableModel
from persona_lab.llm.command import CommandModel
from tests.llm import models
from tests.llm.conftest import Connect
from tests.llm.fake_server import Serve

PROGRAM = f"{sys.executable} {Path(__file__).with_name('models.py')}"


def ask(text: str, **how: object) -> ChatRequest:
    return ChatRequest((Message("user", text),), **how)  # type: ignore[arg-type]


def escaped(program: str) -> str:
    """A program for double quotes in a shell."""
    return program.replace("\\", "\\\\").replace('"', '\\"')


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the working directory."""
    (tmp_path / "my_toy_models.py").write_text(Path(models.__file__).read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return "my_toy_models"


class TestCallable:
    def test_text(self, importable: str) -> None:
        with open_chat_model(f"callable:{importable}:shout") as client:
            reply = client.reply(ask("hi there"))
            assert client.name == f"{importable}:shout" and client.context_length is None
        assert (reply.text, reply.tokens_in, reply.tokens_out) == ("HI THERE", 2 + 4 + 3, 2 + 1)

    def test_dict_and_settings(self, importable: str) -> None:
        request = ask("x", temperature=0.5, seed=4, repeat=2, json_schema={"a": 1}, stop=("b",))
        with open_chat_model(f"callable:{importable}:detailed", model="toy") as client:
            reply = client.reply(request)
        assert json.loads(reply.text) == {
            "temperature": 0.5,
            "max_tokens": 256,
            "seed": 6,
            "top_logprobs": 0,
            "json_schema": {"a": 1},
            "stop": ["b"],
        }
        assert (reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("length", 11, 22)
        assert reply.logprobs == (TokenLogprobs("x", -0.5, (("x", -0.5),)),)
        assert reply.model == "toy"

    @pytest.mark.parametrize(
        ("said", "kind", "reason"),
        [
            ("number", LLMBadReply, "must return a text"),
            ("blank", LLMBadReply, "returned an empty text"),
            ("no network", LLMUnavailable, "raised ConnectionError"),
            ("my secret", LLMBadReply, "raised ValueError"),
        ],
    )
    def test_misbehaviour(self, said: str, kind: type[LLMError], reason: str) -> None:
        with pytest.raises(kind, match=reason) as caught:
            CallableModel(models.misbehave, "misbehave").reply(ask(said))
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("nowhere", "write callable:MODULE:FUNCTION"),
            ("no_such_module:f", "cannot import the module 'no_such_module'"),
            ("json:no_such", "the module 'json' has no 'no_such'"),
            ("math:pi", "cannot be called"),
        ],
    )
    def test_bad_path(self, path: str, reason: str) -> None:
        with pytest.raises(LLMError, match=reason):
            open_chat_model(f"callable:{path}")

    @pytest.mark.parametrize(
        ("function", "reason"),
        [
            ("only_text", r"cannot be asked .*'temperature'.*; write it as 'def reply\(messages"),
            ("awaited", "is asynchronous; wrap it in an ordinary one"),
        ],
    )
    def test_a_function_of_another_form_is_told_before_the_run(
        self, importable: str, function: str, reason: str
    ) -> None:
        with pytest.raises(LLMError, match=reason):
            open_chat_model(f"callable:{importable}:{function}")

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (None, "an object of the type 'NoneType'"),
            ({"reply": "x"}, "an object without that key"),
            ("to be awaited", "something to be awaited"),
        ],
    )
    def test_what_is_returned_in_place_of_a_text(self, given: object, reason: str) -> None:
        def function(messages: object, **settings: object) -> object:
            return models.awaited([]) if given == "to be awaited" else given

        with pytest.raises(LLMBadReply, match=reason):
            CallableModel(function, "odd").reply(ask("Hi"))

    def test_thoughts_and_further_fields(self) -> None:
        def function(messages: object, **settings: object) -> dict[str, object]:
            return {"text": f"<think>hm</think>{settings['effort']}"}

        reply = CallableModel(function, "deep").reply(ask("Hi", extra={"effort": "low"}))
        assert (reply.text, reply.thought) == ("low", "hm")


READS_TO_THE_END = 'import sys, json; json.load(sys.stdin); print(\'{\\n"text": "Aye."}\')'
NEVER_ANSWERS = "import time; time.sleep(600)"
SAYS_PLAINLY = "for line in open(0): print('Aye', flush=True)"


class TestCommand:
    def test_one_that_reads_to_the_end_is_started_anew(self) -> None:
        model = CommandModel(f'{sys.executable} -c "{escaped(READS_TO_THE_END)}"', silence=0.5)
        assert [model.reply(ask(text)).text for text in ("one", "two")] == ["Aye.", "Aye."]
        (warning,) = model.warnings
        assert "answers only when its input ends" in warning and '{"text": "Hello"}' in warning
        model.close()

    @pytest.mark.parametrize(
        ("program", "reason"),
        [(NEVER_ANSWERS, "did not answer within 1 s"), (SAYS_PLAINLY, "a line that is no JSON")],
    )
    def test_one_of_another_form_is_told_what_to_write(self, program: str, reason: str) -> None:
        command = f'{sys.executable} -c "{escaped(program)}"'
        model = CommandModel(command, timeout=1.0 if program == NEVER_ANSWERS else 60.0)
        with pytest.raises(LLMError, match=rf"{reason}.* one JSON request a line from stdin"):
            model.reply(ask("Hi"))
        model.close()

    def test_one_program_answers_all(self, connect: Connect) -> None:
        client = connect(CommandModel(PROGRAM))
        assert client.reply(ask("hëllo 你好\nline two")).text == "HËLLO 你好\nLINE TWO"
        with ThreadPoolExecutor(8) as threads:
            texts = list(threads.map(lambda n: client.reply(ask(f"call {n}")).text, range(20)))
        assert texts == [f"CALL {n}" for n in range(20)]
        assert client.reply(ask("count")).text == "22"

    def test_settings(self, connect: Connect) -> None:
        reply = connect(CommandModel(PROGRAM)).reply(ask("settings", temperature=0.25, seed=9))
        assert json.loads(reply.text) == {
            "messages": [{"role": "user", "content": "settings"}],
            "temperature": 0.25,
            "max_tokens": 256,
            "seed": 9,
            "top_logprobs": 0,
            "json_schema": None,
            "stop": [],
        }

    def test_is_started_again_if_it_dies(self) -> None:
        model = CommandModel(PROGRAM)
        first = model.reply(ask("pid")).text
        assert model.reply(ask("pid")).text == first
        with pytest.raises(LLMUnavailable, match=r"ended without an answer; run it by hand"):
            model.reply(ask("die"))
        assert model.reply(ask("pid")).text != first
        model.close()

    def test_a_late_answer_is_not_taken_for_the_next(self) -> None:
        model = CommandModel(PROGRAM)
        model.reply(ask("warm up"))
        model._timeout = 1.0
        with pytest.raises(LLMUnavailable, match="did not answer within 1 s; raise --timeout"):
            model.reply(ask("sleep"))
        model._timeout = 60.0
        assert model.reply(ask("after")).text == "AFTER"
        model.close()

    def test_a_program_that_does_not_read(self) -> None:
        model = CommandModel("sleep 30", timeout=0.5)
        with pytest.raises(LLMUnavailable, match="did not answer within"):
            model.reply(ask("x" * 1_000_000))
        model.close()

    def test_errors(self) -> None:
        model = CommandModel(PROGRAM)
        with pytest.raises(LLMBadReply, match="wrote a line that is no JSON"):
            model.reply(ask("garble"))
        with pytest.raises(LLMBadRequest, match="with an error: the model has no weights"):
            model.reply(ask("error"))
        model.close()

    def test_closing_ends_the_program(self) -> None:
        model = CommandModel("sh -c 'read line; echo \\\"fine\\\"; sleep 60'")
        assert model.reply(ask("x")).text == "fine"
        start = time.monotonic()
        model.close()
        assert time.monotonic() - start < 30

    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            ("no-such-program-here", "cannot start the program no-such-program-here: No such file"),
            ("'half quoted", "cannot read the command"),
        ],
    )
    def test_bad_command(self, command: str, reason: str) -> None:
        with pytest.raises(LLMError, match=reason), open_chat_model(f"command:{command}") as client:
            client.reply(ask("x"))


class TestSpecs:
    @pytest.mark.parametrize(
        "spec", ["", "gpt-4", "http://localhost:8080", "callable:", "command: ", "cassette:"]
    )
    def test_unknown(self, spec: str) -> None:
        with pytest.raises(LLMError, match=r"cannot read --llm .* write one of: openai:URL"):
            open_chat_model(spec)

    def test_settings(self, serve: Serve, tmp_path: Path) -> None:
        url = f"openai:{serve().url}"
        for wrong, reason in (
            ({"timeout": 0}, "timeout is 0 s"),
            ({"retries": -1}, "retries is -1"),
            ({"concurrency": 0}, "concurrency is 0"),
        ):
            with pytest.raises(LLMError, match=reason):
                open_chat_model(url, **wrong)  # type: ignore[arg-type]
        with pytest.raises(LLMError, match="give one of them"):
            open_chat_model("cassette:a", cassette=tmp_path / "b")

    def test_openai_needs_a_model(self) -> None:
        with pytest.raises(LLMError, match="name the model with --model"):
            open_chat_model("openai")

    def test_a_dead_server_is_told_at_once(self, dead_url: str) -> None:
        with pytest.raises(LLMUnavailable, match=r"cannot reach .*: Connection refused$"):
            open_chat_model(f"openai:{dead_url}")

    def test_nothing_heavy_is_imported(self) -> None:
        import subprocess

        code = (
            "import sys, persona_lab.llm, persona_lab.cli.llm_options, persona_lab.llm.flows; "
            "from persona_lab.llm import open_chat_model, parse_rating; "
            "print([m for m in ('openai', 'jsonschema', 'numpy', 'pydantic') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "[]\n", done.stderr
