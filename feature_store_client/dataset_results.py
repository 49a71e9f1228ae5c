"""Training datasets as the dataset calls return them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feature_store_client import reading
from feature_store_client.errors import RunFailedError

_FINAL_STATES = frozenset({"succeeded", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingDataset:
    """A training dataset at the moment of asking. ``details`` is the whole answer, with everything that is pinned."""

    id: str
    name: str
    state: str
    url: str | None
    row_count: int | None = None
    content_hash: str = ""
    details: dict[str, Any] = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether the state is final: succeeded or failed."""
        return self.state in _FINAL_STATES

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"

    def raise_if_failed(self) -> None:
        """``RunFailedError`` when it could not be built."""
        if self.finished and not self.succeeded:
            reason = self.details.get("error")
            raise RunFailedError(
                f"training dataset {self.name} ({self.id}) {self.state}" + (f": {reason}" if reason else ""),
                details=self.details,
            )

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> TrainingDataset:
        return cls(
            id=str(reading.required(body, "id")),
            name=str(reading.required(body, "name")),
            state=str(reading.required(body, "state")),
            url=reading.text(body, "url"),
            row_count=body.get("row_count"),
            content_hash=str(body.get("content_hash") or ""),
            details=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingCell:
    """A cell that came out otherwise when the dataset was made again; ``row`` counts from 0."""

    row: int
    column: str
    was: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVerification:
    """What making a dataset again has shown: ``differences`` are the first of ``differing_cells``."""

    identical: bool
    checked_at: datetime | None
    differing_cells: int
    differences: tuple[DifferingCell, ...]
    reasons: tuple[str, ...]
    details: dict[str, Any] = field(repr=False)

    def __bool__(self) -> bool:
        return self.identical

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> DatasetVerification:
        return cls(
            identical=bool(reading.required(body, "identical")),
            checked_at=reading.instant(body, "checked_at"),
            differing_cells=int(reading.required(body, "differing_cells")),
            differences=tuple(
                DifferingCell(row=cell["row"], column=cell["column"], was=cell["was"], now=cell["now"])
                for cell in reading.objects(body, "differences")
            ),
            reasons=tuple(str(reason) for reason in reading.required(body, "reasons")),
            details=dict(body),
        )
