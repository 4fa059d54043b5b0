"""A Python function as a language model: ``callable:module:function``."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from persona_lab.llm.chat import ChatReply, ChatRequest, Message
from persona_lab.llm.errors import LLMBadReply, LLMError, LLMUnavailable
from persona_lab.llm.replies import local_reply, message_records, request_arguments

Answer = Callable[..., object]
"""Takes a list of ``{"role": ..., "content": ...}`` and, by keyword, ``temperature``,
``max_tokens``, ``seed``, ``top_logprobs``, ``json_schema`` and ``stop``. Returns the reply's
text, or a dict with ``text`` and any of the fields of
:class:`~persona_lab.llm.chat.ChatReply`. Many threads may call it at once."""

CONTRACT: Final = (
    "write it as 'def reply(messages, **settings) -> str', where messages are a list such as "
    '[{"role": "user", "content": "Hi"}] and settings tell temperature, max_tokens and more'
)
"""What a function must look like, for messages."""


class CallableModel:
    """A :class:`~persona_lab.llm.chat.ChatModel` that calls a function."""

    context_length: int | None = None

    def __init__(self, function: Answer, name: str) -> None:
        """Wrap a function.

        Args:
            function: see :data:`Answer`.
            name: the model's name; changes of the function should change it.
        """
        self._function = function
        self.name = name

    @classmethod
    def load(cls, path: str, name: str | None = None) -> CallableModel:
        """Import a function.

        Args:
            path: ``module:function``; the working directory is searched, too.
            name: the model's name; ``path`` where it is None.

        Raises:
            LLMError: there is no such function.
        """
        module, _, function = path.partition(":")
        if not module or not function:
            raise LLMError(f"cannot read 'callable:{path}'; write callable:MODULE:FUNCTION")
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())
        try:
            found: Any = importlib.import_module(module)
            for part in function.split("."):
                found = getattr(found, part)
        except ImportError as error:
            raise LLMError(f"cannot import the module {module!r}: {error}") from error
        except AttributeError:
            raise LLMError(f"the module {module!r} has no {function!r}") from None
        if not callable(found):
            raise LLMError(f"{function!r} of the module {module!r} cannot be called")
        _check_contract(found, path)
        return cls(found, name or path)

    def reply(self, request: ChatRequest) -> ChatReply:
        """Call the function.

        Raises:
            LLMError: raised by the function; passed on.
            LLMUnavailable: it raised a ConnectionError or TimeoutError.
            LLMBadReply: it raised something else, or returned no text.
        """
        start = time.perf_counter()
        try:
            given = self._function(message_records(request), **request_arguments(request))
        except LLMError:
            raise
        except (ConnectionError, TimeoutError) as error:
            raise LLMUnavailable(
                f"the function {self.name} raised {type(error).__name__}"
            ) from error
        except Exception as error:
            # only the kind: the message may quote the conversation
            hint = f"; {CONTRACT}" if isinstance(error, TypeError) else ""
            raise LLMBadReply(
                f"the function {self.name} raised {type(error).__name__}{hint}", retryable=False
            ) from error
        return local_reply(
            given,
            request,
            source=f"the function {self.name}",
            model=self.name,
            seconds=time.perf_counter() - start,
        )

    def close(self) -> None:
        """There is nothing to let go of."""


def _check_contract(function: Callable[..., object], path: str) -> None:
    """Can the function be called as it will be?

    Raises:
        LLMError: it cannot, or it is asynchronous.
    """
    if inspect.iscoroutinefunction(function):
        raise LLMError(
            f"the function {path} is asynchronous; wrap it in an ordinary one that calls "
            "asyncio.run"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some built-in functions tell nothing of themselves
    told = request_arguments(ChatRequest((Message("user", "Hi"),)))
    try:
        signature.bind([], **told)
    except TypeError as error:
        raise LLMError(f"the function {path} cannot be asked ({error}); {CONTRACT}") from None
