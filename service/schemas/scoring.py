"""Bodies and answers of what is scored at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from service.schemas.common import (
    EXAMPLE_TEXT,
    Answer,
    FrameworkChoice,
    Id,
    Items,
    Model,
    ModelAnswer,
    Name,
    SpeakerChoice,
    Strict,
    TargetText,
    WarningAnswer,
)


class ProfilesRequest(Strict):
    """Whose personality to score."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"id": "party", "turns": [{"speaker": "Dana", "text": EXAMPLE_TEXT}]},
                        {"id": "note", "text": "I keep lists of my lists, and they calm me."},
                    ],
                    "framework": "both",
                    "explain": True,
                }
            ]
        },
    )

    items: Items
    framework: FrameworkChoice = "bigfive"
    speaker: SpeakerChoice = None
    explain: bool = Field(False, description="Tell which turns moved each trait most.")
    model: Model = None


class TraitAnswer(Answer):
    """One trait: the probability of the high pole (MBTI: of the first letter)."""

    p_high: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1, description="Lower end of the 90 % interval.")
    high: float = Field(ge=0, le=1, description="Upper end.")
    label: Literal["high", "low", "abstain"]
    threshold: float = Field(ge=0, le=1)
    level: float | None = Field(
        None, ge=-2, le=2, description="What is shown, -2 clearly low to 2 clearly high."
    )
    level_low: float | None = Field(None, ge=-2, le=2)
    level_high: float | None = Field(None, ge=-2, le=2)
    why: Literal["nothing_shown", "mixed", "too_short"] | None = Field(
        None, description="Why there is no label."
    )
    turns: list[str] | None = Field(None, description="Ids of the turns that show it most.")


class EvidenceAnswer(Answer):
    """How much one turn, or a sentence of it, moved one trait, in log-odds of the high pole."""

    utterance_id: str
    trait: str
    weight: float
    start: int | None = Field(None, description="Where the sentence begins in the turn's text.")
    end: int | None = None


class ProfileRow(Answer):
    """One speaker in one framework; what cannot be scored has a reason and a code."""

    id: str
    speaker: str | None
    framework: Literal["bigfive", "mbti"] | None
    measure: Literal["shown", "self-report"] | None = Field(
        None, description="What the text shows, or what its author would say of themselves."
    )
    status: Literal["scored", "unscored"]
    traits: dict[str, TraitAnswer]
    type: str | None = Field(None, description="MBTI only; X for a letter that is unsure.")
    word_count: int
    n_segments: int | None = None
    warnings: list[WarningAnswer]
    model: ModelAnswer | None
    evidence: list[EvidenceAnswer] | None = None
    reason: str | None = None
    code: str | None = None


class ProfilesAnswer(Answer):
    """Rows in the order of the items: speakers by first turn, frameworks in turn."""

    items: list[ProfileRow]


class ConsistencyRequest(Strict):
    """Whose consistency to measure."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "party",
                            "turns": [
                                {"speaker": "Marcus", "text": "How many people?"},
                                {"speaker": "Dana", "text": EXAMPLE_TEXT},
                            ],
                        }
                    ],
                    "target": "E+",
                    "speaker": "Dana",
                    "persona": ["I love meeting people."],
                }
            ]
        },
    )

    items: Items
    target: TargetText | None = None
    persona: list[Annotated[str, Field(max_length=1_000)]] | None = Field(
        None,
        max_length=100,
        description="Statements for every speaker; those of the items if left out.",
    )
    auto_persona: bool = Field(False, description="Take statements from the speaker's own turns.")
    speaker: SpeakerChoice = None
    window: int = Field(5, ge=2, le=100, description="Turns in a window.")
    model: Model = None


class ConsistencyRow(Answer):
    """One speaker: a score from 0 to 1, its parts, and what is behind them."""

    id: str
    speaker: str | None
    framework: str | None
    status: Literal["scored", "unscored"]
    score: float | None
    low: float | None
    high: float | None
    parts: dict[str, float | None]
    unscored: dict[str, str] = Field(description="Why a part has no score.")
    costs: dict[str, float] = Field(description="What each part takes off the score, 0 to 1.")
    change_point: dict[str, Any] | None
    contradictions: list[dict[str, Any]]
    suspect: dict[str, Any] | None = Field(
        default=None, description="Where nothing is listed, the pair most worth a look."
    )
    explanation: str
    details: dict[str, Any]
    word_count: int
    warnings: list[WarningAnswer]
    model: ModelAnswer | None
    reason: str | None = None
    code: str | None = None


class ConsistencyAnswer(Answer):
    """Rows in the order of the items."""

    items: list[ConsistencyRow]


class CandidateItem(Strict):
    """A text that could be said."""

    id: Id | None = Field(None, description="item-N if left out.")
    text: str
    context: Name | None = Field(None, description="Neighbours with the same one compete.")


class RankRequest(Strict):
    """Candidates to put in order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"id": "a", "text": "Sure, let's invite the whole street and dance!"},
                        {"id": "b", "text": "I would rather stay in and read, if you don't mind."},
                    ],
                    "target": "E+",
                }
            ]
        },
    )

    items: list[CandidateItem] = Field(min_length=1)
    target: TargetText
    persona: list[Annotated[str, Field(max_length=1_000)]] | None = Field(
        None, max_length=100, description="Statements that a candidate should not contradict."
    )
    model: Model = None


class RankRow(Answer):
    """A candidate and its place; the best of a context has rank 1."""

    id: str
    context: str | None
    rank: int | None
    status: Literal["scored", "unscored"]
    score: float | None
    match: float | None
    traits: dict[str, float]
    agreement: float | None
    text: str
    reason: str | None = None
    code: str | None = None


class RankAnswer(Answer):
    """The best of each context first."""

    items: list[RankRow]
    warnings: list[WarningAnswer]
