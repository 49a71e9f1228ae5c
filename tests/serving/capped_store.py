"""A store whose joins are ten times larger than the memory that they may use.

``python -m tests.serving.capped_store`` makes it, in a process of its own, and prints a token. Every value follows from
its key, its event and its column alone, so that what a join should give is known without joining.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import django
import numpy as np
import numpy.typing as npt
import pyarrow as pa

LIMIT = 100 * 10**6
STEP_US = 60_000_000
_FIRST_US = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_INSTANT = pa.timestamp("us", tz="UTC")
TOGETHER = 2_000
_RUN_BYTES = 60 * 10**6

Places = npt.NDArray[np.int64]


def number(keys: Places, events: Places, column: int) -> pa.Array:
    """A float of its own for every value."""
    return pa.array(keys * 1_000.0 + events + column / 64)


def text(keys: Places, events: Places, column: int) -> pa.Array:
    """2,000 characters."""
    places = zip(keys.tolist(), events.tolist(), strict=True)
    return pa.array([f"{key:06}/{event:06}/{column:05};" * 100 for key, event in places], pa.string())


def embedding(keys: Places, events: Places, column: int) -> pa.Array:
    """256 floats."""
    flat = (keys * 1_000.0 + events + column)[:, None] + np.arange(256) / 256
    offsets = np.arange(len(keys) + 1, dtype=np.int32) * 256
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat.ravel()))


@dataclass(frozen=True)
class Stock:
    """A group of ``keys`` entities with ``events`` value rows each, one a minute, of ``columns`` features.

    A value takes ``width`` bytes; ``entities`` rows are joined with it.
    """

    group: str
    keys: int
    events: int
    columns: int
    width: int
    data_type: str
    values: Callable[[Places, Places, int], pa.Array]
    entities: int

    @property
    def features(self) -> list[str]:
        return [f"{self.group}_{column}" for column in range(self.columns)]

    @property
    def history_bytes(self) -> int:
        return self.keys * self.events * self.columns * self.width

    def runs(self) -> Iterator[pa.Table]:
        """The value rows, a run at a time."""
        rows, together = self.keys * self.events, _RUN_BYTES // (self.columns * self.width)
        for start in range(0, rows, together):
            place = np.arange(start, min(start + together, rows))
            keys, events = place // self.events, place % self.events
            at = pa.array(_FIRST_US + events * STEP_US).cast(_INSTANT)
            columns = {
                "entity_key": pa.array(keys + 10**6).cast(pa.string()),
                "event_timestamp": at,
                "created_timestamp": at,
                "run_id": pa.array(["run"] * len(place)),
                "arrival": pa.array(place),
            }
            for column in range(self.columns):
                columns[f"{self.group}_{column}_v1"] = self.values(keys, events, column)
            yield pa.table(columns)

    def asked(self) -> tuple[Places, Places]:
        """Keys and minutes of the entity rows, of which some are unknown keys or before the first event."""
        random = np.random.default_rng(7)
        extra = max(1, self.keys // 100)
        return random.integers(0, self.keys + extra, self.entities), random.integers(-1, self.events, self.entities)

    def entity_rows(self) -> pa.Table:
        keys, days = self.asked()
        at = pa.array(_FIRST_US + days * STEP_US + STEP_US // 3).cast(_INSTANT)
        return pa.table({"customer_id": pa.array(keys + 10**6), "event_timestamp": at})

    def expected(self, keys: Places, days: Places, column: int) -> pa.Array:
        """What answers entity rows of these keys and days."""
        known = (keys < self.keys) & (days >= 0)
        values = self.values(np.where(known, keys, 0), np.where(known, days, 0), column)
        return values.take(pa.array(np.arange(len(keys)), mask=~known))


STOCKS = {
    stock.group: stock
    for stock in (
        Stock("small", 100, 10, 25, 8, "float", number, entities=5_000),
        # Many entity rows and many value rows.
        Stock("many", 20_000, 28, 75, 8, "float", number, entities=1_100_000),
        # A history of which few rows answer.
        Stock("long", 65_000, 80, 25, 8, "float", number, entities=2_000),
        # One key, with everything that happened to it.
        Stock("hot", 1, 6_300_000, 20, 8, "float", number, entities=100_000),
        Stock("texts", 20_000, 8, 1, 2_000, "string", text, entities=400_000),
        Stock("lists", 20_000, 8, 1, 2_048, "float_list", embedding, entities=360_000),
    )
}


def held(process: int | str = "self") -> int:
    """The memory that a process has of its own, in bytes."""
    found = re.search(r"VmData:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def check(stock: Stock, asked: tuple[Places, Places], parts: Iterator[pa.Table]) -> int:
    """The number of rows, all of which are right."""
    keys, days = asked
    done = 0
    for part in parts:
        for start in range(0, part.num_rows, TOGETHER):
            piece = part.slice(start, TOGETHER)
            here = slice(done, done + piece.num_rows)
            assert np.array_equal(piece.column("customer_id").to_numpy(), keys[here] + 10**6)
            for column, name in enumerate(stock.features):
                assert piece.column(name).combine_chunks().equals(stock.expected(keys[here], days[here], column)), name
            done += piece.num_rows
        del part, piece
    return done


def main(groups: list[str]) -> None:
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # Django first

    from catalog.access import Role  # noqa: PLC0415
    from serving.stores.offline import append_history  # noqa: PLC0415
    from serving.tokens import issue_token  # noqa: PLC0415
    from tests.stocked_store import make_feature, make_group, make_user  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for stock in map(STOCKS.__getitem__, groups):
        group = make_group(stock.group)
        for name in stock.features:
            make_feature(group, name, stock.data_type)
        for run, rows in enumerate(stock.runs()):
            append_history(group=group, rows=rows, run_id=f"{stock.group}-{run}", epoch=run + 1)
    print(issue_token(user=make_user("reader", Role.DATA_SCIENTIST), name="test", scopes=["read"]).key)


if __name__ == "__main__":
    main(sys.argv[1:])
