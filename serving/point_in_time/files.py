"""The values that answer the entity rows, from files whose runs are kept: found first, then read.

The newest row of all files is known by its event time; only where rows of two files happened at the same time, their
created timestamps and arrivals are read. Then the values of the rows that answer are read, from the row groups that
they are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from serving.point_in_time import microseconds
from serving.point_in_time.asking import EntityRows
from serving.point_in_time.eligibility import ARRIVAL, CREATED, ENTITY_KEY
from serving.point_in_time.finding import Found
from serving.point_in_time.kept import KeptRuns
from serving.point_in_time.microseconds import Times
from serving.point_in_time.reading import read_rows
from serving.point_in_time.room import Room
from serving.point_in_time.runs import BYTES_PER_ROW, FileRuns, runs_of
from serving.point_in_time.search import NOBODY, Integers

# From this share of a file's rows on, marking them costs less than sorting them.
_MANY = 1 / 16


@dataclass(frozen=True)
class KeptFiles:
    """A history of Parquet files that never change, and where their runs are kept, up to ``room`` bytes of all files.

    ``place`` makes the files' paths unique among those of other histories.
    """

    dataset: ds.FileSystemDataset
    place: str
    kept: KeptRuns
    room: int

    @property
    def schema(self) -> pa.Schema:
        return self.dataset.schema

    def to_batches(self, *, columns: list[str], filter: ds.Expression | None) -> Iterable[pa.RecordBatch]:
        """The rows, read without what is kept."""
        return self.dataset.to_batches(columns=columns, filter=filter)

    def possible(self, condition: ds.Expression | None) -> list[tuple[ds.ParquetFileFragment, FileRuns]] | None:
        """The files in which a row may fulfil ``condition``, with their runs; None unless all have runs and fit."""
        fragments: list[Any] = list(self.dataset.get_fragments(condition))
        if sum(fragment.metadata.num_rows for fragment in fragments) * BYTES_PER_ROW > self.room:
            return None
        found = [(fragment, self._runs(fragment)) for fragment in fragments]
        known = [(fragment, runs) for fragment, runs in found if runs is not None]
        return known if len(known) == len(found) else None

    def _runs(self, fragment: ds.ParquetFileFragment) -> FileRuns | None:
        metadata = fragment.metadata
        name = (self.place, fragment.path, metadata.num_rows, metadata.serialized_size)
        return self.kept.get(name, lambda: runs_of(fragment, self.dataset), room=self.room)


@dataclass
class _Newest:
    """Per entity row the newest row found so far, in which file, and its event; its rank once somebody asked for it."""

    file: Integers
    row: Integers
    event: Times
    created: Times
    arrival: Integers
    ranked: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def none(cls, count: int) -> _Newest:
        file, row = np.full(count, NOBODY), np.full(count, NOBODY)
        event, created, arrival = (np.full(count, microseconds.LOWEST) for _ in range(3))
        return cls(file, row, event, created, arrival, ranked=np.zeros(count, dtype=np.bool_))


class FileSearch:
    """One request of one group."""

    def __init__(
        self,
        files: Sequence[tuple[ds.ParquetFileFragment, FileRuns]],
        schema: pa.Schema,
        *,
        threads: bool,
        room: Room | None = None,
    ) -> None:
        self._files = files
        self._schema = schema
        self._threads = threads
        self._room = room

    def find(self, rows: EntityRows, *, columns: Sequence[str], latest_event: int | None) -> Found:
        """The newest row at or before the time of each entity row and ``latest_event``, with its ``columns``.

        :raises TooWideError: when these take more than the room there is.
        """
        times = rows.times if latest_event is None else np.minimum(rows.times, latest_event)
        newest = _Newest.none(len(times))
        for number, (_, runs) in enumerate(self._files):
            codes = rows.places_in(runs.keys)
            places = np.flatnonzero(codes < len(runs.keys))
            at = runs.newest(codes[places], times[places])
            found = np.flatnonzero(at != NOBODY)
            if len(found):
                self._improve(newest, number, places[found], at[found])
        stored = [name for name in dict.fromkeys(columns) if name in self._schema.names] or [ENTITY_KEY]
        values, chosen = self._values(newest, stored)
        return Found(values=values, chosen=chosen, events=newest.event)

    def _improve(self, newest: _Newest, number: int, places: Integers, at: Integers) -> None:
        """Take over the rows ``at`` of a file where they are newer; among equals the later file wins."""
        event = self._files[number][1].event[at]
        taken = newest.file[places] != NOBODY
        better = ~taken | (event > newest.event[places])
        tied = np.flatnonzero(taken & (event == newest.event[places]))
        if len(tied):
            same = places[tied]
            self._rank(newest, same[~newest.ranked[same]])
            created, arrival = self._ranks(number, at[tied])
            later = (created == newest.created[same]) & (arrival >= newest.arrival[same])
            better[tied] = later = later | (created > newest.created[same])
            newest.created[same[later]], newest.arrival[same[later]] = created[later], arrival[later]
        places, at = places[better], at[better]
        newest.file[places], newest.row[places], newest.event[places] = number, at, event[better]
        newest.ranked[places] = False
        if len(tied):
            newest.ranked[same] = True

    def _rank(self, newest: _Newest, places: Integers) -> None:
        for number in np.unique(newest.file[places]):
            here = places[newest.file[places] == number]
            newest.created[here], newest.arrival[here] = self._ranks(number, newest.row[here])

    def _ranks(self, number: int, rows: Integers) -> tuple[Times, Integers]:
        """Created timestamp and arrival of these rows of a file; what is not known is the lowest."""
        names = [name for name in (CREATED, ARRIVAL) if name in self._schema.names]
        distinct, index = np.unique(rows, return_inverse=True)
        ranks = read_rows(self._files[number][0], self._schema, names, distinct, threads=self._threads)
        lowest = np.full(len(rows), microseconds.LOWEST)
        created, arrival = (
            microseconds.integers(ranks.column(name).combine_chunks().cast(pa.int64()), null=microseconds.LOWEST)[index]
            if name in names
            else lowest
            for name in (CREATED, ARRIVAL)
        )
        return created, arrival

    def _values(self, newest: _Newest, columns: Sequence[str]) -> tuple[pa.Table, Integers]:
        """The rows that answer, each once, and per entity row which of them does."""
        chosen = np.full(len(newest.file), NOBODY)
        values = [pa.schema([self._schema.field(name) for name in columns]).empty_table()]
        count = 0
        for number, (fragment, runs) in enumerate(self._files):
            places = np.flatnonzero(newest.file == number)
            if len(places):
                distinct, index = _distinct(newest.row[places], runs.rows)
                values.append(self._read(fragment, columns, distinct, held=sum(part.nbytes for part in values)))
                chosen[places] = index + count
                count += len(distinct)
        return pa.concat_tables(values), chosen

    def _read(self, fragment: ds.ParquetFileFragment, columns: Sequence[str], rows: Integers, *, held: int) -> pa.Table:
        room = self._room
        if room is None:
            return read_rows(fragment, self._schema, columns, rows, threads=self._threads)
        return read_rows(
            fragment, self._schema, columns, rows, threads=self._threads, at_once=room.batch, most=room.values - held
        )


def _distinct(rows: Integers, count: int) -> tuple[Integers, Integers]:
    """The distinct ones of ``rows``, which are below ``count``, ascending; and which of them each is."""
    if len(rows) < count * _MANY:
        distinct, index = np.unique(rows, return_inverse=True)
        return distinct, index
    marked = np.zeros(count, dtype=np.bool_)
    marked[rows] = True
    distinct = np.flatnonzero(marked)
    number = np.empty(count, dtype=np.int64)
    number[distinct] = np.arange(len(distinct))
    return distinct, number[rows]
