"""The entity rows of a historical read, whatever they came as (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

EVENT_TIMESTAMP = "event_timestamp"
INSTANT = pa.timestamp("us", tz="UTC")


class EntityFrame(Protocol):
    """Entity rows in their order, with everything they carry."""

    columns: tuple[str, ...]
    count: int

    def keys(self, names: Sequence[str]) -> pa.Array:
        """The entity key of every row from these columns, as text; null where a part is null.

        :raises InvalidInput: on a value that cannot be part of a key.
        """

    def times(self) -> pa.Array:
        """The event timestamp of every row, of type INSTANT or finer; null where a row has none.

        A bare date is the first microsecond of that UTC day.

        :raises InvalidInput: on a time without a zone, or something that is no time.
        """

    def part(self, start: int, count: int) -> EntityFrame:
        """Up to ``count`` of the rows, from ``start`` on."""

    def table(self) -> pa.Table:
        """The rows as columns, as they came.

        :raises InvalidInput: when a column has no single type.
        """

    def json_rows(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """The rows as objects of what JSON can hold, in lists of up to ``size``; the caller may add to them."""
