"""Entity rows that came as JSON: a list of objects, given back as they came (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput
from serving.entity_rows import exact_part
from serving.instants import parse_instant
from serving.point_in_time.microseconds import of_instant
from serving.wire.entity_frame import EVENT_TIMESTAMP, INSTANT


class JsonRows:
    """Implements :class:`serving.wire.entity_frame.EntityFrame`."""

    def __init__(self, listed: object, *, first: int = 0) -> None:
        """``first`` is the place of the first row in the request, by which it is named."""
        if not isinstance(listed, Sequence) or isinstance(listed, str):
            raise InvalidInput(
                'entity_df is a list of objects, such as [{"entity_id": 1, "event_timestamp": "2025-01-31T12:00:00Z"}]',
                details={"field": "entity_df"},
            )
        for position, row in enumerate(listed, first):
            if not isinstance(row, Mapping):
                raise InvalidInput(
                    f"entity_df[{position}] is {row!r}, not an object", details={"field": f"entity_df[{position}]"}
                )
        self._rows: Sequence[Mapping[str, Any]] = listed
        self._first = first
        self.columns = tuple(dict.fromkeys(name for row in listed for name in row))
        self.count = len(listed)

    def keys(self, names: Sequence[str]) -> pa.Array:
        return pa.array([self._key(position, names) for position in range(self.count)], pa.string())

    def _key(self, position: int, names: Sequence[str]) -> str | None:
        row, place = self._rows[position], f"entity_df[{self._first + position}]"
        missing = [name for name in names if name not in row]
        if missing:
            raise InvalidInput(f"{place} lacks {', '.join(missing)}", details={"field": place})
        parts = [row[name] for name in names]
        if None in parts:
            return None
        try:
            return encode_entity_key([exact_part(part) for part in parts])
        except InvalidInput as error:
            raise InvalidInput(f"{place}: {error.message}", details={**error.details, "field": place}) from error

    def times(self) -> pa.Array:
        known: dict[str, int] = {}
        counts: list[int | None] = []
        for position, row in enumerate(self._rows, self._first):
            text = row.get(EVENT_TIMESTAMP)
            count = known.get(text) if isinstance(text, str) else None
            if count is None and text is not None:
                moment = parse_instant(text, name=f"entity_df[{position}].{EVENT_TIMESTAMP}")
                count = known[text] = of_instant(moment)
            counts.append(count)
        return pa.array(counts, pa.int64()).cast(INSTANT)

    def part(self, start: int, count: int) -> JsonRows:
        part = JsonRows(self._rows[start : start + count], first=self._first + start)
        part.columns = self.columns
        return part

    def table(self) -> pa.Table:
        columns = []
        for name in self.columns:
            try:
                columns.append(pa.array([row.get(name) for row in self._rows]))
            except (pa.ArrowException, OverflowError) as error:
                raise InvalidInput(
                    f"the column {name!r} of entity_df has values of several types, which only a JSON answer can "
                    "give back; give it one type or leave it out",
                    details={"column": name},
                ) from error
        return pa.table(columns, names=list(self.columns))

    def json_rows(self, size: int) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, self.count, size):
            yield [dict(row) for row in self._rows[start : start + size]]
