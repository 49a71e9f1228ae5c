"""Runs and validations as the management calls return them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feature_store_client import reading
from feature_store_client.errors import RunFailedError

_FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One ingestion at the moment of asking. ``details`` is the whole answer, with counts and messages."""

    id: int | str
    group: str
    state: str
    url: str | None
    details: dict[str, Any] = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether the state is final: succeeded, failed or cancelled."""
        return self.state in _FINAL_STATES

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"

    def raise_if_failed(self) -> None:
        """``RunFailedError`` when the run ended as failed or cancelled."""
        if self.finished and not self.succeeded:
            reason = self.details.get("error") or self.details.get("message")
            raise RunFailedError(
                f"run {self.id} of group {self.group} {self.state}" + (f": {reason}" if reason else ""),
                details=self.details,
            )

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Run:
        return cls(
            id=reading.required(body, "id"),
            group=str(reading.required(body, "group")),
            state=str(reading.required(body, "state")),
            url=reading.text(body, "url"),
            details=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The answer to a validation: the report when it was waited for, else the runs that make it."""

    finished: bool
    report: dict[str, Any]
    runs: tuple[Run, ...]
