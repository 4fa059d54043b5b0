"""Any server that speaks the OpenAI chat protocol: OpenAI, vLLM, llama.cpp, Ollama, ..."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from persona_lab.llm.chat import ChatReply, ChatRequest, Message
from persona_lab.llm.errors import LLMBadReply, LLMError, LLMRefusedKey, LLMUnavailable
from persona_lab.llm.openai_errors import (
    KEY_VARIABLES,
    NO_SERVER,
    error_inside,
    is_page,
    status_error,
)
from persona_lab.llm.openai_requests import LACKING, arguments, rejected, whole_reply
from persona_lab.llm.replies import completion_reply

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL: Final = "https://api.openai.com/v1"
_CONNECT_S: Final = 10.0
_PROBE_S: Final = 10.0

_NO_TALK: Final = ChatRequest((Message("user", ""),))
"""Stands for the request where a page is fetched: there is no conversation to keep private."""


class OpenAICompatible:
    """A :class:`~persona_lab.llm.chat.ChatModel` behind an HTTP address.

    What the server turns out not to support (a parameter, system prompts, replies in one piece)
    is left out or said in another way in one more attempt; if that succeeds it is so from then
    on, and :attr:`warnings` says so.
    """

    def __init__(
        self, url: str = OPENAI_URL, *, model: str | None = None, timeout: float = 120.0
    ) -> None:
        """Set up the connection; asks the server only where ``model`` is None.

        Args:
            url: base URL with or without ``/v1``. The key is read from the environment
                variable PERSONA_LAB_LLM_KEY, else OPENAI_API_KEY; local servers need none.
            model: the model's name; None for the only one that the server has.
            timeout: seconds a reply may take.

        Raises:
            LLMError: the URL cannot be used, or the server has several models.
            LLMUnavailable: the server cannot be asked for its models.
        """
        self._url = _base_url(url)
        parts = urlsplit(self._url)
        self._source = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        self._timeout = timeout
        self._key_variable = next((v for v in KEY_VARIABLES if os.environ.get(v, "").strip()), None)
        self._connection = _connect(self._url, self._key_variable, timeout)
        self._headers = {} if self._key_variable else _without_key()
        self._lacking: tuple[str, ...] = ()
        self._context_length: int | None = None
        self._context_known = False
        self.name = model or self._only_model()

    def __repr__(self) -> str:
        return f"OpenAICompatible({self._source!r}, model={self.name!r})"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server turned out not to support."""
        return tuple(f"{self._source} does not support {LACKING[name]}" for name in self._lacking)

    @property
    def context_length(self) -> int | None:
        """Tokens of the context, where the server tells (llama.cpp, vLLM); asked once."""
        if not self._context_known:
            self._context_known = True
            if self._url != OPENAI_URL:
                self._context_length = self._ask_context_length()
        return self._context_length

    def reply(self, request: ChatRequest) -> ChatReply:
        """Ask once; see the class for rejected parameters.

        Raises:
            LLMError: see :mod:`persona_lab.llm.openai_errors`.
        """
        lacking = self._lacking
        while True:
            start = time.perf_counter()
            sent = arguments(request, self.name, lacking)
            status, body, headers = self._post(sent)
            decoded = self._decoded(body) if status == 200 else None
            inside = error_inside(decoded)
            if status == 200 and inside is None:
                break
            error = self._error(status if inside is None else inside, body, headers, request)
            name = rejected(error, body, sent, lacking)
            if name is None:
                raise error
            lacking += (name,)
        if lacking != self._lacking:
            self._lacking += tuple(name for name in lacking if name not in self._lacking)
        return completion_reply(
            decoded,
            request,
            source=self._source,
            model=self.name,
            seconds=time.perf_counter() - start,
        )

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _post(self, arguments: dict[str, Any]) -> tuple[int, str, Mapping[str, str]]:
        """Send one request: status, body, and headers in lower case."""
        import openai

        failure: LLMError
        try:
            answer = self._connection.chat.completions.with_raw_response.create(
                **arguments, extra_headers=self._headers
            )
            return 200, whole_reply(answer.text), {}
        except openai.APIStatusError as error:
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return error.status_code, error.response.text, headers
        except openai.APITimeoutError:
            failure = LLMUnavailable(
                f"{self._source} did not answer within {self._timeout:g} s; raise --timeout"
            )
        except openai.APIConnectionError as error:
            failure = LLMUnavailable(f"cannot reach {self._source}: {_deepest(error)}")
        except (openai.OpenAIError, ValueError) as error:
            failure = LLMBadReply(f"{self._source} answered with no JSON ({type(error).__name__})")
        # outside of the handler, so that the error does not hold on to the request and its key
        raise failure

    def _error(
        self, status: int, body: str, headers: Mapping[str, str], request: ChatRequest
    ) -> LLMError:
        return status_error(
            status, body, headers, request, source=self._source, key_variable=self._key_variable
        )

    def _decoded(self, body: str) -> Any:
        try:
            return json.loads(body)
        except ValueError:
            what = NO_SERVER if is_page(body) else "answered with no JSON"
            raise LLMBadReply(f"{self._source} {what}") from None

    def _get(self, url: str) -> Any:
        """A page of JSON; the timeouts are short and nothing is tried again."""
        import openai

        failure: LLMError
        try:
            found: Any = self._connection.get(
                url, cast_to=object, options={"timeout": _PROBE_S, "headers": self._headers}
            )
            if not (isinstance(found, str) and is_page(found)):
                return found
            failure = LLMBadReply(f"{self._source} {NO_SERVER}")
        except openai.APIStatusError as error:
            failure = self._error(error.status_code, error.response.text, {}, _NO_TALK)
        except openai.APIConnectionError as error:
            failure = LLMUnavailable(f"cannot reach {self._source}: {_deepest(error)}")
        except (openai.OpenAIError, ValueError):
            failure = LLMBadReply(f"{self._source} answered with no JSON")
        raise failure

    def _models(self) -> list[dict[str, Any]]:
        listed = self._get("/models")
        found = listed.get("data") if isinstance(listed, dict) else None
        return [m for m in found or [] if isinstance(m, dict) and isinstance(m.get("id"), str)]

    def _only_model(self) -> str:
        if self._url == OPENAI_URL:
            raise LLMError("name the model with --model")
        names = [str(m["id"]) for m in self._models()]
        if len(names) == 1:
            return names[0]
        has = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise LLMError(f"name the model with --model; {self._source} has: {has or 'none'}")

    def _ask_context_length(self) -> int | None:
        """``/props`` of llama.cpp beside ``/v1``, or ``max_model_len`` of vLLM."""
        try:
            for model in self._models():
                if model["id"] == self.name and isinstance(model.get("max_model_len"), int):
                    return int(model["max_model_len"])
            props = self._get(self._url.removesuffix("/v1") + "/props")
        except LLMError:
            return None
        settings = props.get("default_generation_settings") if isinstance(props, dict) else None
        length = settings.get("n_ctx") if isinstance(settings, dict) else None
        return length if isinstance(length, int) and length > 0 else None


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LLMError(f"cannot use the address {url!r}; write openai:http://HOST:PORT/v1")
    if parts.username or parts.password:
        raise LLMError(
            f"a key in the address would end up in logs; put it into {KEY_VARIABLES[0]} instead"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _connect(url: str, key_variable: str | None, timeout: float) -> OpenAI:
    import openai

    logger = logging.getLogger("openai")
    if logger.level == logging.NOTSET:
        # its debug lines may hold the conversation
        logger.setLevel(logging.INFO)
    key = os.environ[key_variable].strip() if key_variable else "none"
    if not (key.isascii() and key.isprintable()):
        raise LLMRefusedKey(f"the key in {key_variable} holds characters that no key can have")
    return openai.OpenAI(
        base_url=url,
        api_key=key,
        max_retries=0,
        timeout=openai.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
        # a server must not send the conversation and the key on to another address
        http_client=openai.DefaultHttpxClient(follow_redirects=False),
    )


def _without_key() -> dict[str, Any]:
    """Headers that keep the package from sending a made-up key."""
    import openai

    return {"Authorization": openai.Omit()}


def _deepest(error: BaseException) -> str:
    """The first cause of a failed connection, such as "Connection refused".

    Other texts than the system's own are left out; they may quote what was sent.
    """
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the connection broke ({type(error).__name__})"
