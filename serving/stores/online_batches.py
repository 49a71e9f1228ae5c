"""Rows on their way into an online store: column by column, the values already as JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import orjson

# What one short transaction or one round of a pipeline takes: few enough that others get their turn at once.
BATCH_ROWS = 5_000

Rank = tuple[int, int, int]


class OnlineRow(NamedTuple):
    """One stored row.

    ``values`` are JSON values by value column. ``event_us`` and ``created_us`` count microseconds since 1970 UTC;
    an unknown created timestamp is :data:`serving.models.fields.UNKNOWN_US` and an unknown arrival -1, so that both
    come first.
    """

    entity_key: str
    values: dict[str, Any]
    event_us: int
    created_us: int
    arrival: int
    run_id: str

    @property
    def rank(self) -> Rank:
        return self.event_us, self.created_us, self.arrival


@dataclass(frozen=True, slots=True)
class OnlineBatch:
    """The columns of so many :class:`OnlineRow`; ``documents`` are their values as JSON text."""

    entity_keys: Sequence[str]
    documents: Sequence[str]
    event_us: Sequence[int]
    created_us: Sequence[int]
    arrivals: Sequence[int]
    run_ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.entity_keys)

    def ranks(self) -> Iterator[Rank]:
        return zip(self.event_us, self.created_us, self.arrivals, strict=True)

    def part(self, start: int, end: int) -> OnlineBatch:
        """The rows from ``start`` up to ``end``."""
        return OnlineBatch(
            self.entity_keys[start:end],
            self.documents[start:end],
            self.event_us[start:end],
            self.created_us[start:end],
            self.arrivals[start:end],
            self.run_ids[start:end],
        )

    def parts(self, rows: int) -> Iterator[OnlineBatch]:
        """The batch in parts of at most ``rows``."""
        return (self.part(start, start + rows) for start in range(0, len(self), rows))

    def only(self, positions: Sequence[int]) -> OnlineBatch:
        """The rows at these positions."""
        return OnlineBatch(
            [self.entity_keys[at] for at in positions],
            [self.documents[at] for at in positions],
            [self.event_us[at] for at in positions],
            [self.created_us[at] for at in positions],
            [self.arrivals[at] for at in positions],
            [self.run_ids[at] for at in positions],
        )


def in_batches(rows: Iterable[OnlineRow]) -> Iterator[OnlineBatch]:
    """Single rows as batches, in their order."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, BATCH_ROWS)):
        yield OnlineBatch(
            [row.entity_key for row in chunk],
            [orjson.dumps(row.values, option=orjson.OPT_PASSTHROUGH_DATETIME).decode() for row in chunk],
            [row.event_us for row in chunk],
            [row.created_us for row in chunk],
            [row.arrival for row in chunk],
            [row.run_id for row in chunk],
        )
