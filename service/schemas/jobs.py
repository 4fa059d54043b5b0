"""Bodies that start jobs, and what is told about them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from service.schemas.common import (
    EXAMPLE_TEXT,
    Answer,
    FrameworkChoice,
    Id,
    Items,
    Model,
    Name,
    SpeakerChoice,
    Strict,
    TargetText,
)


class LanguageModel(Strict):
    """A language model behind an OpenAI-compatible server."""

    url: str = Field(
        min_length=1, max_length=500, description="Base URL; one that the service lists."
    )
    model: Name | None = Field(None, description="The only one of the server if left out.")
    max_calls: int | None = Field(None, ge=1, description="Requests that may be answered.")
    max_tokens: int | None = Field(None, ge=1, description="Tokens, in and out together.")


class JobRequest(Strict):
    """What all jobs have in common."""

    items: Items
    speaker: SpeakerChoice = None
    framework: FrameworkChoice = "bigfive"
    store: bool = Field(
        False,
        description="Keep what was sent, and the results, until you delete them. Else the "
        "first goes when the job ends, the second after result_hours.",
    )


class FilterRequest(JobRequest):
    """Which dialogues to keep."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"id": "party", "turns": [{"speaker": "Dana", "text": EXAMPLE_TEXT}]},
                        {"id": "note", "text": "I keep lists of my lists, and they calm me."},
                    ],
                    "keep": "extraversion.p_high >= 0.5 and words > 5",
                }
            ]
        },
    )

    keep: str = Field(
        min_length=1,
        max_length=2_000,
        description="Expression over scores: extraversion.p_high >= 0.6 and words > 50",
    )
    any_speaker: bool = Field(
        False, description="Keep a dialogue if one speaker passes; else all must."
    )
    target: TargetText | None = Field(None, description="Gives the fields target.*.")
    model: Model = None


class PsycotRequest(JobRequest):
    """Whose personality a language model is to rate, item by item."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"id": "party", "turns": [{"speaker": "Dana", "text": EXAMPLE_TEXT}]}
                    ],
                    "llm": {"url": "http://localhost:8080/v1"},
                }
            ]
        },
    )

    llm: LanguageModel
    variant: Literal["standard", "cot", "psycot", "psycot-batch", "psycot-expect"] = "psycot-batch"
    temperature: float = Field(0.0, ge=0, le=2, allow_inf_nan=False)
    seed: int = Field(0, ge=0, le=2**31 - 1)


class PersonaItem(Strict):
    """A role for the bot."""

    id: Id
    system: str = Field(min_length=1, max_length=20_000, description="System prompt.")
    target: TargetText | None = Field(None, description="The personality it should show.")


class InterviewRequest(Strict):
    """Which chatbot to interview, and how."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "bot": {"url": "http://localhost:8080/v1"},
                    "instrument": "ipip-20",
                    "personas": [
                        {"id": "host", "system": "You love company.", "target": "E+"},
                    ],
                }
            ]
        },
    )

    bot: LanguageModel
    system: str | None = Field(
        None, max_length=20_000, description="System prompt, where there are no personas."
    )
    personas: list[PersonaItem] = Field(
        default_factory=list, max_length=200, description="Each is interviewed on its own."
    )
    instrument: str = Field("ipip-50", max_length=100, description="One of /v1/instruments.")
    protocols: list[Literal["self-report", "interview", "situational", "story"]] = Field(
        ["self-report"], min_length=1, max_length=4
    )
    repeats: int = Field(1, ge=1, le=50)
    judge: bool = Field(False, description="Let the bot's model also rate open answers.")
    temperature: float = Field(0.0, ge=0, le=2, allow_inf_nan=False)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    store: bool = Field(False, description="As for other jobs.")


class ProgressAnswer(Answer):
    """How far a job is: items done of all, and result rows without a score."""

    done: int
    total: int
    unscored: int


class JobErrorAnswer(Answer):
    """Why a job failed; results up to there are kept."""

    code: str
    detail: str


class JobAnswer(Answer):
    """A job as it is now."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: ProgressAnswer
    rows: int = Field(description="Result rows there are so far.")
    error: JobErrorAnswer | None
    cancel_requested: bool
    store: bool
    attempts: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    links: dict[str, str]


class JobsAnswer(Answer):
    """Your jobs, the latest first."""

    items: list[JobAnswer]
    next_cursor: str | None


class JobsQuery(Strict):
    """Which jobs to list."""

    cursor: str | None = Field(None, max_length=40, description="next_cursor of the page before.")
    limit: int = Field(50, ge=1, le=200)


class ResultsQuery(Strict):
    """Which result rows to give."""

    cursor: int = Field(0, ge=0, le=2**53, description="X-Next-Cursor of the page before.")
    limit: int = Field(1_000, ge=1, le=10_000)
