"""Entity rows answered a slice at a time, as many as there is memory for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import TooLarge
from serving.point_in_time.by_key import answer_by_key
from serving.point_in_time.room import TooWideError


@dataclass
class Slices:
    """Answers to as many of the entity rows at a time as fit, fewer and fewer while their values are too wide."""

    answer: Callable[[pa.Table], pa.Table]
    rows: int
    memory: int | None

    def by_key(
        self, entities: pa.Table, *, key_column: str, slice_bytes: int, folder: str | None
    ) -> Iterator[pa.Table]:
        """The same in the order of the keys, where one slice does not hold them all."""
        if entities.num_rows <= self.rows:
            try:
                yield self.answer(entities)
            except TooWideError:
                self.rows = max(1, entities.num_rows // 2)
            else:
                return
        yield from answer_by_key(
            entities,
            self.of,
            key_column=key_column,
            slice_rows=lambda: self.rows,
            slice_bytes=slice_bytes,
            folder=folder,
        )

    def of(self, entities: pa.Table) -> Iterator[pa.Table]:
        start = 0
        while start < entities.num_rows or start == 0:
            part = entities.slice(start, self.rows)
            try:
                yield self.answer(part)
            except TooWideError:
                if part.num_rows <= 1:
                    raise TooLarge(
                        f"the values of one entity row take more than a retrieval has of its {self.memory} bytes; ask "
                        "for fewer features at a time or raise feature_store.history_memory_limit",
                        details={"memory_limit": self.memory},
                    ) from None
                self.rows = part.num_rows // 2
                continue
            if self.memory is not None:
                pa.default_memory_pool().release_unused()
            start += max(part.num_rows, 1)
