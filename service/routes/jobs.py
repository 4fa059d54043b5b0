"""Jobs: started with ``202``, looked at, their rows read as they come, stopped, deleted."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request, url_for
from pydantic import BaseModel

from service.api import described
from service.bodies import read_body, read_query, read_target, to_dialogues
from service.config import Config
from service.engine import Engine
from service.jobs import filters, interviews
from service.jobs.queue import Queue
from service.jobs.store import Job, JobStore, fingerprint
from service.llm import allowed_url
from service.problems import Problem
from service.schemas.jobs import (
    FilterRequest,
    InterviewRequest,
    JobAnswer,
    JobsAnswer,
    JobsQuery,
    PsycotRequest,
    ResultsQuery,
)

blueprint = Blueprint("jobs", __name__)

_STARTING = (422, 424, 503)
_MOST_KEY = 255


@blueprint.post("/v1/filters")
@described("jobs", JobAnswer, status=202, body=FilterRequest, refusals=_STARTING)
def start_filter() -> Response:
    """Keep the dialogues that meet an expression over their scores.

    A job. Its rows tell the verdict on every item and the scores of its speakers.
    """
    body = read_body(FilterRequest)
    engine: Engine = current_app.extensions["engine"]
    if body.model is not None and body.model not in engine.names:
        raise Problem.at("/model", f"there is no such model; models: {', '.join(engine.names)}")
    read_target(body.target)
    filters.check(body)
    return start("filters", body, _count(body))


@blueprint.post("/v1/psycot")
@described("jobs", JobAnswer, status=202, body=PsycotRequest, refusals=_STARTING)
def start_psycot() -> Response:
    """Let a language model rate speakers item by item of a questionnaire.

    A job. Its rows are those of /v1/profiles with the rating of every item.
    """
    body = read_body(PsycotRequest)
    allowed_url(body.llm.url, current_app.extensions["config"])
    return start("psycot", body, _count(body))


@blueprint.post("/v1/interviews")
@described("jobs", JobAnswer, status=202, body=InterviewRequest, refusals=_STARTING)
def start_interview() -> Response:
    """Interview a chatbot and rate its personality.

    A job. Its rows are the answers as they come (`row` is `record`), and in the end the
    result (`row` is `profile`).
    """
    body = read_body(InterviewRequest)
    allowed_url(body.bot.url, current_app.extensions["config"], pointer="/bot/url")
    for i, persona in enumerate(body.personas):
        read_target(persona.target, pointer=f"/personas/{i}/target")
    interviews.check(body)
    return start("interviews", body, interviews.size(body))


@blueprint.get("/v1/jobs")
@described("jobs", JobsAnswer, query=JobsQuery, refusals=(422,))
def list_jobs() -> dict[str, Any]:
    """List your jobs, the latest first."""
    query = read_query(JobsQuery)
    try:
        before = None if query.cursor is None else float(query.cursor)
    except ValueError:
        raise Problem.at("?cursor", "give the next_cursor of the page before") from None
    found = _store().of_owner(g.owner, before=before, limit=query.limit)
    more = repr(found[-1].created_at) if len(found) == query.limit else None
    return {"items": [answer(job) for job in found], "next_cursor": more}


@blueprint.get("/v1/jobs/<id>")
@described("jobs", JobAnswer, refusals=(404,))
def get_job(id: str) -> dict[str, Any]:
    """Tell how a job is."""
    return answer(_job(id))


@blueprint.delete("/v1/jobs/<id>")
@described("jobs", JobAnswer, refusals=(404,))
def cancel_job(id: str) -> dict[str, Any]:
    """Stop a job; rows that are there stay. One that has ended is left as it is."""
    if _job(id).is_open:
        _store().cancel(id)
    return answer(_job(id))


@blueprint.get("/v1/jobs/<id>/results")
@described("results", None, query=ResultsQuery, refusals=(404, 422))
def get_results(id: str) -> Response:
    """Give the result rows there are, a JSON object a line.

    Where more rows are there or may come, the header X-Next-Cursor tells the `cursor` of
    the next page; without it, that was all.
    """
    query = read_query(ResultsQuery)
    job = _job(id)
    rows = _store().results(id, after=query.cursor, limit=query.limit)
    last = rows[-1][0] if rows else query.cursor
    response = Response(
        "".join(f"{row}\n" for _, row in rows), content_type="application/x-ndjson; charset=utf-8"
    )
    if job.is_open or last < job.rows:
        response.headers["X-Next-Cursor"] = str(last)
        link = url_for("jobs.get_results", id=id, cursor=last, limit=query.limit)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return response


@blueprint.delete("/v1/jobs/<id>/results")
@described("jobs", JobAnswer, refusals=(404, 409))
def delete_results(id: str) -> dict[str, Any]:
    """Delete what an ended job was given, and its rows."""
    _job(id)
    if not _store().drop_results(id):
        raise Problem("conflict", "the job has not ended; cancel it first")
    return answer(_job(id))


def start(kind: str, body: BaseModel, total: int) -> Response:
    """Add a job and answer with it: 202, or the same job again for a repeated key.

    Raises:
        Problem: too many jobs are open, or the Idempotency-Key was used for something else.
    """
    config: Config = current_app.extensions["config"]
    queue: Queue = current_app.extensions["queue"]
    store = _store()
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _MOST_KEY and key.isprintable()):
        raise Problem.at("Idempotency-Key", f"1 to {_MOST_KEY} printable characters")
    asked = body.model_dump(mode="json", exclude_unset=True)
    known = None if key is None else store.by_key(g.owner, key)
    if known is None and store.count_open(g.owner) >= config.max_open_jobs:
        raise Problem(
            "too-many-jobs",
            f"{config.max_open_jobs} of your jobs are open (max_open_jobs); wait, or cancel some",
            retry_after=30,
        )
    job, is_new = store.add(
        g.owner, kind, asked, total=total, store=asked.get("store", False), idempotency_key=key
    )
    if is_new:
        try:
            queue.send(job.id)
        except Exception:
            # the row is there: a worker's sweep sends it when the queue is back
            current_app.logger.warning("job %s is stored but could not be sent", job.id)
    elif job.fingerprint != fingerprint(kind, asked):
        raise Problem("key-reused", "use another Idempotency-Key for another request")
    response = jsonify(answer(job))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.get_job", id=job.id)
    return response


def answer(job: Job) -> dict[str, Any]:
    """A job as the API tells it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "progress": {"done": job.done, "total": job.total, "unscored": job.unscored},
        "rows": job.rows,
        "error": None if job.error is None else {"code": job.error[0], "detail": job.error[1]},
        "cancel_requested": job.cancel,
        "store": job.store,
        "attempts": job.attempts,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "links": {
            "self": url_for("jobs.get_job", id=job.id),
            "results": url_for("jobs.get_results", id=job.id),
        },
    }


def _count(body: FilterRequest | PsycotRequest) -> int:
    return len(to_dialogues(body.items, current_app.extensions["config"], job=True))


def _store() -> JobStore:
    store: JobStore = current_app.extensions["jobs"]
    return store


def _job(id: str) -> Job:
    job = _store().get(id, g.owner)
    if job is None:
        raise Problem("not-found", "there is no such job, or it is not yours")
    return job


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
