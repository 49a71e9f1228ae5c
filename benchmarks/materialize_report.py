"""The figures of materialization as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.history_data import Shape
from benchmarks.machine import Machine
from benchmarks.materialized import Materialized
from benchmarks.reading_meanwhile import Readings
from benchmarks.report import shown_bytes, shown_seconds, table


@dataclass(frozen=True)
class Measured:
    """``first`` is into an empty online store; ``later`` ones replaced every row while ``meanwhile`` was read."""

    title: str
    first: Materialized
    later: Sequence[Materialized]
    idle: Readings
    meanwhile: Readings

    @property
    def later_per_second(self) -> float:
        return sum(each.rows for each in self.later) / sum(each.seconds for each in self.later)

    def line(self) -> str:
        """In one line, for who waits."""
        return (
            f"{self.title}: {self.first.per_second:,.0f} rows/s, then {self.later_per_second:,.0f} rows/s, "
            f"{shown_bytes(self.first.peak_bytes)}; readers {_percentile(self.idle, 99) * 1000:.1f} ms idle, "
            f"{_percentile(self.meanwhile, 99) * 1000:.1f} ms meanwhile, {self.meanwhile.wrong} wrong"
        )


def report(found: Sequence[Measured], *, machine: Machine, shape: Shape) -> str:
    """The tables, with the ratios to Feast where it was measured."""
    feast = next((each for each in found if each.title.startswith("Feast")), None)
    busy = " **Other work was running on the machine: the figures are worse than they need be.**" * machine.busy
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {machine}.{busy} {shape.groups} groups × {shape.entities:,} "
        f"entities × {shape.features} features.",
        _speed(found, feast),
        _readers(found),
    ]
    if feast is not None and feast.first.rows != shape.groups * shape.entities:
        parts.insert(2, f"Feast was given {feast.first.rows:,} rows, as all of them would take it many minutes.")
    return "\n\n".join(parts)


def _speed(found: Sequence[Measured], feast: Measured | None) -> str:
    header = ["", "rows", "into an empty store", "every row replaced", "peak memory"]
    rows = [
        [
            each.title,
            f"{each.first.rows:,}",
            f"{each.first.per_second:,.0f} rows/s",
            f"{each.later_per_second:,.0f} rows/s",
            shown_bytes(each.first.peak_bytes),
        ]
        for each in found
    ]
    if feast is not None:
        header.append("times Feast's rows/s")
        for row, each in zip(rows, found, strict=True):
            row.append(f"{each.first.per_second / feast.first.per_second:.0f} ×")
    return table(header, rows)


def _readers(found: Sequence[Measured]) -> str:
    header = [
        "one reader of whole rows", "median idle", "median meanwhile", "99th percentile idle",
        "99th percentile meanwhile", "times", "reads meanwhile", "failed", "not of one row",
    ]  # fmt: skip
    rows = [
        [
            each.title,
            shown_seconds(statistics.median(each.idle.latencies)),
            shown_seconds(statistics.median(each.meanwhile.latencies)),
            shown_seconds(_percentile(each.idle, 99)),
            shown_seconds(_percentile(each.meanwhile, 99)),
            f"{_percentile(each.meanwhile, 99) / _percentile(each.idle, 99):.1f} ×",
            f"{len(each.meanwhile.latencies):,}",
            f"{each.meanwhile.failed}",
            f"{each.meanwhile.wrong}" if each.meanwhile.old + each.meanwhile.new else "not looked at",
        ]
        for each in found
    ]
    return table(header, rows)


def _percentile(readings: Readings, hundredth: int) -> float:
    return statistics.quantiles(readings.latencies, n=100)[hundredth - 1]
