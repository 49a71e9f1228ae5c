"""The one clock of the store."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant: aware, UTC, microseconds."""
    return datetime.now(UTC)
