"""What ``/metrics`` counts; names and labels never hold anything that was sent.

With several processes (``PROMETHEUS_MULTIPROC_DIR``, which ``persona-lab serve`` sets) the
numbers are those of all of them together.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client import REGISTRY as OWN_PROCESS

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REQUESTS = Counter(
    "personalab_http_requests_total", "Requests answered.", ["route", "method", "status"]
)
DURATION = Histogram(
    "personalab_http_request_duration_seconds", "Time to answer.", ["route"], buckets=_SECONDS
)
INFERENCE = Histogram(
    "personalab_inference_duration_seconds",
    "Time of a request in the queue, and of a batch in the model.",
    ["model", "stage"],
    buckets=_SECONDS,
)
BATCH_SIZE = Histogram(
    "personalab_batch_size", "Speakers in a batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
BATCH_TOKENS = Histogram(
    "personalab_batch_tokens",
    "Tokens in a batch, estimated.",
    buckets=(64, 256, 512, 1024, 2048, 4096, 8192, 16384),
)
QUEUE_SIZE = Gauge(
    "personalab_queue_size", "Requests that wait for the model.", multiprocess_mode="livesum"
)
FAILURES = Counter("personalab_request_failures_total", "Requests refused or failed.", ["reason"])
UNSCORED = Counter("personalab_unscored_total", "Rows that could not be scored.", ["reason"])
LLM_CALLS = Counter(
    "personalab_llm_calls_total", "Requests to language models.", ["provider", "outcome"]
)
LLM_TOKENS = Counter("personalab_llm_tokens_total", "Tokens of language models.", ["kind"])
JOBS = Counter("personalab_jobs_total", "Jobs that ended.", ["kind", "status"])
MODEL_INFO = Gauge(
    "personalab_model_info", "Models in use.", ["name", "version"], multiprocess_mode="max"
)


def exposition() -> tuple[bytes, str]:
    """The body of ``/metrics`` and its content type."""
    if os.environ.get(FOLDER_VARIABLE):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(OWN_PROCESS), CONTENT_TYPE_LATEST


def forget_process(pid: int) -> None:
    """Take a process that ended out of the gauges."""
    if os.environ.get(FOLDER_VARIABLE):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
