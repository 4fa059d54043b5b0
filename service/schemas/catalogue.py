"""Answers about what there is, and files made into items."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from service.schemas.common import Answer, Strict


class ReadRequest(Strict):
    """The content of a file of any known layout."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"content": "Ann: Hello!\nBob: Hi, Ann.\n"}]},
    )

    content: str = Field(min_length=1)
    format: str = Field(
        "auto", min_length=1, max_length=40, description="Name of the layout, or auto."
    )


class ReadAnswer(Answer):
    """Items as the other routes take them."""

    format: str
    items: list[dict[str, Any]]
    errors: list[dict[str, str]] = Field(description="Rows that cannot be read, and why.")


class ModelEntry(Answer):
    """A detector that requests can name."""

    name: str
    version: str
    frameworks: list[str]
    default: bool
    summary: str
    sha256: str | None = None


class ModelsAnswer(Answer):
    """The detectors."""

    items: list[ModelEntry]


class ModelCard(ModelEntry):
    """A detector with its card and the limits of requests."""

    card: str = Field(description="Markdown.")
    limits: dict[str, Any]


class InstrumentEntry(Answer):
    """A bundled questionnaire."""

    name: str
    title: str
    language: str
    licence: str
    framework: str | None
    n_items: int
    domains: list[str]


class InstrumentsAnswer(Answer):
    """The questionnaires."""

    items: list[InstrumentEntry]
