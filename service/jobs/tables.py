"""The two tables of jobs."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

jobs = Table(
    "personalab_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    # what was asked; empty once it is not needed any more
    Column("body", Text, nullable=False),
    Column("store", Boolean, nullable=False),
    Column("idempotency_key", String(255)),
    # of the body, to tell whether a key is used for something else
    Column("fingerprint", String(64), nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False),
    Column("unscored", Integer, nullable=False, default=0),
    Column("rows", Integer, nullable=False, default=0),
    Column("error_code", String(64)),
    Column("error_detail", Text),
    Column("cancel", Boolean, nullable=False, default=False),
    Column("worker", String(64)),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Float, nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    UniqueConstraint("owner", "idempotency_key"),
    Index("personalab_jobs_by_owner", "owner", "created_at"),
    Index("personalab_jobs_by_status", "status", "lease_until"),
)

results = Table(
    "personalab_results",
    metadata,
    Column("job_id", String(32), ForeignKey("personalab_jobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("row", Text, nullable=False),
)
