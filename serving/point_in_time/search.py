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

from serving.point_in_time.microseconds import LOWEST, Times, integers

NOBODY = -1
# From this share of the keys of a batch on, looking past the others costs less than leaving them out.
_MUCH = 0.2

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """The entity rows grouped by key: their distinct keys in order, and their places.

    Key ``k`` has the places from ``offsets[k]`` to before ``offsets[k + 1]``; ``rows`` tells which entity row each
    place is, and ``times`` its time. What a batch answers lies together in places, and strewn over the rows.
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
        return cls(keys=encoded.dictionary.take(pa.array(order)), rows=rows, offsets=offsets, times=times[rows])

    def between(self, low: str, high: str) -> tuple[int, int]:
        """The range of distinct keys from ``low`` to ``high``, both included."""
        return rank(self.keys, low, after=False), rank(self.keys, high, after=True)

    def by_row(self, values: Integers) -> Integers:
        """``values`` of the places as values of the entity rows."""
        ordered = np.empty_like(values)
        ordered[self.rows] = values
        return ordered


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
    """Per place the rank of the best find so far, and where it is kept."""

    event: Times
    created: Times
    arrival: Integers
    kept: Integers

    @classmethod
    def none(cls, count: int) -> Best:
        event, created, arrival = (np.full(count, LOWEST, dtype=np.int64) for _ in range(3))
        return cls(event, created, arrival, kept=np.full(count, NOBODY, dtype=np.int64))

    def improved_by(self, places: Integers, found: ValueRows, at: Integers) -> npt.NDArray[np.bool_]:
        """Where ``found[at]`` is at least as new as what ``places`` have; among equals the later read wins."""
        nothing_yet = self.kept[places] == NOBODY
        if nothing_yet.all():
            return nothing_yet
        event, created, arrival = self.event[places], self.created[places], self.arrival[places]
        newer = found.arrival[at] >= arrival
        newer = (found.created[at] > created) | ((found.created[at] == created) & newer)
        return (found.event[at] > event) | ((found.event[at] == event) & newer) | nothing_yet

    def take(self, places: Integers, found: ValueRows, at: Integers, kept: Integers) -> None:
        self.event[places] = found.event[at]
        self.created[places] = found.created[at]
        self.arrival[places] = found.arrival[at]
        self.kept[places] = kept


def find_in_batch(asked: Asked, batch: ValueRows, *, known_at_event_time: bool) -> tuple[Integers, ValueRows, Integers]:
    """Places that the batch can answer, the batch's rows in order, and the one that answers each.

    With ``known_at_event_time`` only rows that were created by the entity row's own time count.
    """
    if len(batch.position) == 0 or len(asked.keys) == 0:
        return _NO_ROWS, batch, _NO_ROWS
    starts, run_keys = runs_in(batch.keys)
    bounds = pc.min_max(run_keys)
    low, high = asked.between(bounds["min"].as_py(), bounds["max"].as_py())
    if low == high:
        return _NO_ROWS, batch, _NO_ROWS
    found = pc.index_in(run_keys, value_set=asked.keys.slice(low, high - low))
    codes = integers(found.cast(pa.int64()), null=NOBODY)
    lengths = np.diff(np.append(starts, len(batch.position)))
    ordered, codes, starts, lengths = _in_runs(batch, codes, starts, lengths)
    if len(codes) == 0:
        return _NO_ROWS, batch, _NO_ROWS
    first = np.full(high - low, NOBODY, dtype=np.int64)
    size = np.zeros(high - low, dtype=np.int64)
    asked_for = codes != NOBODY
    first[codes[asked_for]], size[codes[asked_for]] = starts[asked_for], lengths[asked_for]
    asked_of_key = np.diff(asked.offsets[low : high + 1])
    places = np.arange(asked.offsets[low], asked.offsets[high])
    begin, length = np.repeat(first, asked_of_key), np.repeat(size, asked_of_key)
    has_run = begin != NOBODY
    if not has_run.all():
        places, begin, length = places[has_run], begin[has_run], length[has_run]
    times = asked.times[places]
    if known_at_event_time:
        moments, newest = _answerable(ordered, codes, lengths)
        count = _at_or_before(moments, begin, length, times)
        answered = count > 0
        return places[answered], ordered, newest[begin[answered] + count[answered] - 1]
    count = _at_or_before(ordered.event, begin, length, times)
    answered = count > 0
    return places[answered], ordered, begin[answered] + count[answered] - 1


def runs_in(keys: pa.Array[Any]) -> tuple[Integers, pa.Array[Any]]:
    """Where each run of equal keys starts, and its key; ``keys`` is not empty, and text or a dictionary of it."""
    if pa.types.is_dictionary(keys.type):
        indices = keys.indices.to_numpy()
        starts = _starts_of(indices)
        return starts, keys.dictionary.take(pa.array(indices[starts]))
    changes = pc.not_equal(keys.slice(1), keys.slice(0, len(keys) - 1)).to_numpy(zero_copy_only=False)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.flatnonzero(changes) + 1])
    return starts, keys.take(pa.array(starts))


def _in_runs(
    batch: ValueRows, codes: Integers, starts: Integers, lengths: Integers
) -> tuple[ValueRows, Integers, Integers, Integers]:
    """The batch's rows of keys that are asked for, one run per key, each in the order of rank.

    A batch of which much is asked for stays whole when it is in order; runs that nobody asks for have no code.
    """
    asked_for = codes != NOBODY
    much = np.count_nonzero(asked_for) > len(codes) * _MUCH
    if much and _one_run_per_key(codes[asked_for]) and in_rank(batch, starts):
        return batch, codes, starts, lengths
    code_of_row = np.repeat(codes, lengths)
    chosen = np.flatnonzero(code_of_row != NOBODY)
    code_of_row = code_of_row[chosen]
    rows = _picked(batch, chosen)
    starts = _starts_of(code_of_row)
    codes = code_of_row[starts]
    if not (_one_run_per_key(codes) and in_rank(rows, starts)):
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


def in_rank(rows: ValueRows, starts: Integers) -> bool:
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


def rank(keys: pa.Array[Any], key: str, *, after: bool) -> int:
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
