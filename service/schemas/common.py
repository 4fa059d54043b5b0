"""What bodies and answers have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from persona_lab.formats.records import whole

EXAMPLE_TEXT = (
    "It's a rooftop thing! I met the couple from the fourth floor in the lift this morning, "
    "and by the time we reached the lobby we'd decided to throw a party together."
)


def _digits(given: Any) -> Any:
    """A whole number as its digits: ids are as often numbers as texts."""
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    return (whole(given) or given) if number else given


Id = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_digits)]
"""A text or a whole number."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
TargetText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Big Five signs ('E+ N-') or a type ('INFP'; X leaves a letter open).",
        examples=["E+ N-"],
    ),
]


class Strict(BaseModel):
    """A body: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer: fields may be added in later versions."""

    model_config = ConfigDict(extra="allow")


class Turn(Strict):
    """What somebody says at once."""

    speaker: Name = Field(description="Name or role.")
    text: str
    id: Id | None = Field(None, description="Of the turn; its position if left out.")


class Item(Strict):
    """A text by one author or a dialogue: one of `text`, `turns`, `messages`, `conversations`."""

    id: Id | None = Field(None, description="Comes back in the rows; item-N if left out.")
    text: str | None = Field(None, description="By one author; blank lines part paragraphs.")
    turns: list[Turn] | None = Field(None, description="Of a dialogue, in order.")
    messages: list[dict[str, Any]] | None = Field(
        None,
        description="A chat as models take it: role and content; system is the persona.",
        examples=[[{"role": "user", "content": "Hi!"}]],
    )
    conversations: list[dict[str, Any]] | None = Field(
        None, description="A chat with from and value (human, gpt, system)."
    )
    focus: Name | None = Field(None, description="The speaker it is about; all if left out.")
    personas: dict[Name, list[str]] = Field(
        default_factory=dict, description="Persona statements by speaker, for consistency."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Item:
        ways = (self.text, self.turns, self.messages, self.conversations)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give either 'text' or 'turns' (or 'messages', 'conversations')")
        return self


Items = Annotated[list[Item], Field(min_length=1, description="Answered in this order.")]
FrameworkChoice = Annotated[
    Literal["bigfive", "mbti", "both"], Field(description="Which traits to score.")
]
Model = Annotated[
    str | None, Field(description="A name from /v1/models; the default one if left out.")
]
SpeakerChoice = Annotated[
    Name | None,
    Field(description="Score this speaker or role only, or 'all'. Left out: the focus, else all."),
]


class WarningAnswer(Answer):
    """What the reader of a score should know."""

    code: str
    message: str


class ModelAnswer(Answer):
    """Which model made a score."""

    name: str
    version: str
    sha256: str


class FieldErrorAnswer(Answer):
    """What is wrong with one field."""

    pointer: str
    detail: str


class ProblemAnswer(Answer):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None
    errors: list[FieldErrorAnswer] | None = None


class HealthAnswer(Answer):
    """How the service is."""

    status: Literal["alive", "ready"]
