"""Which value row answers which entity row: a search in runs of sorted value rows.

Histories are stored sorted by entity key and rank (event, created, arrival), so in every batch of a file the rows
of one key lie together as a run, in the order in which they win. The newest row at or before a time is then found
by halving the run, for all entity rows of the batch at once. Batches are read one after another and the better of
two finds is kept, so it does not matter into how many files or batches a history is split, and memory holds the
entity rows and one batch. A batch that is not sorted is sorted here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.point_in_time.microseconds import LOWEST, Times

NOBODY = -1

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """The entity rows: their distinct keys in order, and their rows grouped by key.

    ``rows`` are the rows by key; those of key ``k`` are ``rows[offsets[k]:offsets[k + 1]]``.
    """

    keys: pa.Array[Any]
    rows: Integers
    offsets: Integers
    times: Times

    @classmethod
    def of(cls, keys: pa.Array[Any], times: Times) -> Asked:
        """``keys`` are as long as ``times``; a null key is asked for by no row."""
        encoded = keys.dictionary_encode()
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        place = np.empty(len(order) + 1, dtype=np.int64)
        place[order] = np.arange(len(order))
        place[-1] = len(order)
        codes = place[encoded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)]
        rows = np.argsort(codes, kind="stable")
        offsets = np.searchsorted(codes[rows], np.arange(len(order) + 1))
        return cls(keys=encoded.dictionary.take(pa.array(order)), rows=rows, offsets=offsets, times=times)

    def between(self, low: str, high: str) -> tuple[int, int]:
        """The range of distinct keys from ``low`` to ``high``, both included."""
        return _place(self.keys, low, after=False), _place(self.keys, high, after=True)


@dataclass(frozen=True)
class ValueRows:
    """Eligible value rows of one batch: their keys' text, what ranks them, and where they stand in the batch."""

    keys: pa.Array[Any]
    event: Times
    created: Times
    arrival: Integers
    position: Integers


@dataclass
class Best:
    """Per entity row the rank of the best find so far, and where it is kept."""

    event: Times
    created: Times
    arrival: Integers
    kept: Integers

    @classmethod
    def none(cls, count: int) -> Best:
        event, created, arrival = (np.full(count, LOWEST, dtype=np.int64) for _ in range(3))
        return cls(event, created, arrival, kept=np.full(count, NOBODY, dtype=np.int64))

    def improved_by(self, rows: Integers, found: ValueRows, at: Integers) -> npt.NDArray[np.bool_]:
        """Where ``found[at]`` is at least as new as what ``rows`` have; among equals the later read wins."""
        event, created, arrival = self.event[rows], self.created[rows], self.arrival[rows]
        newer = found.arrival[at] >= arrival
        newer = (found.created[at] > created) | ((found.created[at] == created) & newer)
        return (found.event[at] > event) | ((found.event[at] == event) & newer) | (self.kept[rows] == NOBODY)

    def take(self, rows: Integers, found: ValueRows, at: Integers, kept: Integers) -> None:
        self.event[rows], self.created[rows], self.arrival[rows] = found.event[at], found.created[at], found.arrival[at]
        self.kept[rows] = kept


def find_in_batch(asked: Asked, batch: ValueRows, *, known_at_event_time: bool) -> tuple[Integers, ValueRows, Integers]:
    """Entity rows that the batch can answer, the batch's rows in order, and the one that answers each.

    With ``known_at_event_time`` only rows that were created by the entity row's own time count.
    """
    if len(batch.position) == 0 or len(asked.keys) == 0:
        return _NO_ROWS, batch, _NO_ROWS
    starts = _run_starts(batch.keys)
    run_keys = batch.keys.take(pa.array(starts))
    bounds = pc.min_max(run_keys)
    low, high = asked.between(bounds["min"].as_py(), bounds["max"].as_py())
    if low == high:
        return _NO_ROWS, batch, _NO_ROWS
    places = pc.index_in(run_keys, value_set=asked.keys.slice(low, high - low))
    codes = places.fill_null(NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = np.diff(np.append(starts, len(batch.position)))
    ordered, codes, starts, lengths = _in_runs(batch, codes, starts, lengths)
    if len(codes) == 0:
        return _NO_ROWS, batch, _NO_ROWS
    first = np.full(high - low, NOBODY, dtype=np.int64)
    size = np.zeros(high - low, dtype=np.int64)
    first[codes], size[codes] = starts, lengths
    rows = asked.rows[asked.offsets[low] : asked.offsets[high]]
    key_of_row = np.repeat(np.arange(high - low), np.diff(asked.offsets[low : high + 1]))
    has_run = first[key_of_row] != NOBODY
    rows, key_of_row = rows[has_run], key_of_row[has_run]
    begin, length = first[key_of_row], size[key_of_row]
    if known_at_event_time:
        moments, newest = _answerable(ordered, codes, lengths)
        count = _at_or_before(moments, begin, length, asked.times[rows])
        answered = count > 0
        return rows[answered], ordered, newest[begin[answered] + count[answered] - 1]
    count = _at_or_before(ordered.event, begin, length, asked.times[rows])
    answered = count > 0
    return rows[answered], ordered, begin[answered] + count[answered] - 1


def _run_starts(keys: pa.Array[Any]) -> Integers:
    if len(keys) < 2:
        return np.zeros(len(keys), dtype=np.int64)
    changes = pc.not_equal(keys.slice(1), keys.slice(0, len(keys) - 1)).to_numpy(zero_copy_only=False)
    return np.concatenate([np.zeros(1, dtype=np.int64), np.flatnonzero(changes) + 1])


def _in_runs(
    batch: ValueRows, codes: Integers, starts: Integers, lengths: Integers
) -> tuple[ValueRows, Integers, Integers, Integers]:
    """The batch's rows of keys that are asked for, one run per key, each in the order of rank."""
    asked_for = codes != NOBODY
    if asked_for.all() and _one_run_per_key(codes) and _ranked(batch, starts):
        return batch, codes, starts, lengths
    code_of_row = np.repeat(codes, lengths)
    chosen = np.flatnonzero(code_of_row != NOBODY)
    code_of_row = code_of_row[chosen]
    rows = _picked(batch, chosen)
    starts = _starts_of(code_of_row)
    codes = code_of_row[starts]
    if not (_one_run_per_key(codes) and _ranked(rows, starts)):
        order = np.lexsort((rows.position, rows.arrival, rows.created, rows.event, code_of_row))
        rows, code_of_row = _picked(rows, order), code_of_row[order]
        starts = _starts_of(code_of_row)
        codes = code_of_row[starts]
    return rows, codes, starts, np.diff(np.append(starts, len(code_of_row)))


def _picked(rows: ValueRows, at: Integers) -> ValueRows:
    # The keys are not needed any more once every row has its code.
    return ValueRows(rows.keys, rows.event[at], rows.created[at], rows.arrival[at], rows.position[at])


def _starts_of(codes: Integers) -> Integers:
    if len(codes) == 0:
        return _NO_ROWS
    return np.concatenate([np.zeros(1, dtype=np.int64), np.flatnonzero(np.diff(codes)) + 1])


def _one_run_per_key(codes: Integers) -> bool:
    return bool((np.diff(codes) > 0).all()) or len(np.unique(codes)) == len(codes)


def _ranked(rows: ValueRows, starts: Integers) -> bool:
    """Whether within every run each row is at least as new as the one before it."""
    if len(rows.event) < 2:
        return True
    event, created, arrival = (values[1:] > values[:-1] for values in (rows.event, rows.created, rows.arrival))
    same_event = rows.event[1:] == rows.event[:-1]
    same_created = rows.created[1:] == rows.created[:-1]
    rising = event | (same_event & (created | (same_created & (arrival | (rows.arrival[1:] == rows.arrival[:-1])))))
    rising[starts[1:] - 1] = True
    return bool(rising.all())


def _answerable(rows: ValueRows, codes: Integers, lengths: Integers) -> tuple[Times, Integers]:
    """Per run the moments from which rows can answer, in order, and the newest row that could by then.

    A row can answer from the moment it has both happened and become known.
    """
    moments = np.maximum(rows.event, rows.created)
    run_of_row = np.repeat(np.arange(len(codes)), lengths)
    order = np.lexsort((moments, run_of_row))
    # Rows of a later run stand later, so the running greatest place never comes from an earlier run.
    return moments[order], np.maximum.accumulate(order)


def _at_or_before(values: Times, begin: Integers, length: Integers, times: Times) -> Integers:
    """How many of ``values[begin : begin + length]``, which rise, are at or before the time; for each row."""
    low, high = np.zeros(len(begin), dtype=np.int64), length.copy()
    last = len(values) - 1
    for _ in range(int(length.max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        searching = low < high
        reached = values[np.minimum(begin + middle, last)] <= times
        low = np.where(searching & reached, middle + 1, low)
        high = np.where(searching & ~reached, middle, high)
    return low


def _place(keys: pa.Array[Any], key: str, *, after: bool) -> int:
    """Where ``key`` stands among the ascending ``keys``: before its equals, or ``after`` them."""
    wanted = key.encode()
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        there = keys[middle].as_py().encode()
        if there < wanted or (after and there == wanted):
            low = middle + 1
        else:
            high = middle
    return low


_NO_ROWS: Integers = np.empty(0, dtype=np.int64)
