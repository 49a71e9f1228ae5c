"""The tables of the historical benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.comparing import Difference
from benchmarks.contestants import (
    DUCKDB,
    FEAST_DEFAULT,
    FEAST_DUCKDB,
    OWN,
    OWN_HTTP,
    POLARS,
    READING,
    Contestant,
    Failed,
)
from benchmarks.history_data import Shape
from benchmarks.machine import Machine
from benchmarks.measured import Measured
from benchmarks.report import shown_bytes, shown_seconds, table

_ENOUGH = 5
_MIDDLE, _MANY, _FEW = 100_000, 1_000_000, 10


@dataclass
class Results:
    """All measurements of one run, by contestant and number of entity rows."""

    shape: Shape
    commits: int
    features: int
    machine: Machine
    contestants: list[Contestant]
    rows: list[int]
    found: dict[tuple[str, int], Measured | Failed] = field(default_factory=dict)
    differences: dict[tuple[str, int], Difference] = field(default_factory=dict)

    def seconds(self, name: str, rows: int) -> float | None:
        found = self.found.get((name, rows))
        return found.median if isinstance(found, Measured) else None

    def peak(self, name: str, rows: int) -> int | None:
        found = self.found.get((name, rows))
        return found.peak_bytes if isinstance(found, Measured) else None

    def best_duckdb(self, rows: int) -> float | None:
        """The faster way of writing the join; neither decides ties."""
        known = [seconds for name in DUCKDB if (seconds := self.seconds(name, rows)) is not None]
        return min(known, default=None)


@dataclass(frozen=True)
class Aim:
    """``value`` is what was measured, ``met`` whether that is enough."""

    text: str
    aim: str
    value: Callable[[Results], float | None]
    shown: Callable[[float], str]
    met: Callable[[float], bool]


def report(results: Results) -> str:
    """All tables, with what they were measured on."""
    parts = [
        _setting(results),
        "Seconds of one retrieval, median (in brackets how many times, where fewer than five fitted the time):",
        _table_of(results, _seconds_cell),
        "Times as long as this store in process:",
        _table_of(results, _ratio_cell),
        "Processor seconds of all threads (over HTTP: of client and server together):",
        _table_of(results, _processor_cell),
        "Peak memory of the whole process (over HTTP: of client and server together):",
        _table_of(results, _memory_cell),
        "Rows whose values differ from this store's answer:",
        _table_of(results, _difference_cell, without=(OWN, READING)),
        "Aims:",
        table(["", "aim", "measured", "met"], _aims(results)),
    ]
    return "\n\n".join(parts)


def _setting(results: Results) -> str:
    shape = results.shape
    foreign = {contestant.name for contestant in results.contestants if contestant.foreign}
    own, feast = (
        _versions(results, {contestant.name for contestant in results.contestants} - foreign),
        _versions(results, foreign),
    )
    versions = own + (f"; Feast's environment: {feast}" if feast else "")
    busy = (
        f" **Other work was running on the machine (load {results.machine.load:.1f} before the start): the times are "
        "longer than they need be, the ratios rougher.**"
        if results.machine.busy
        else ""
    )
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {results.machine}; "
        f"{versions}.{busy}\n\n"
        f"{shape.entities:,} entities × {shape.events} events × {shape.groups} groups × {shape.features} features "
        f"({shape.entities * shape.events * shape.groups:,} value rows, written in {results.commits} "
        f"commit{'s' if results.commits > 1 else ''} per group), {results.features} features asked for."
    )


def _versions(results: Results, names: set[str]) -> str:
    known: dict[str, str] = {}
    for (name, _), found in results.found.items():
        if name in names and isinstance(found, Measured):
            known |= found.versions
    return ", ".join(f"{package} {version}" for package, version in sorted(known.items()))


def _table_of(results: Results, cell: Callable[[Results, str, int], str], *, without: tuple[str, ...] = ()) -> str:
    header = ["entity rows", *(f"{rows:,}" for rows in results.rows)]
    rows = [
        [contestant.title, *(cell(results, contestant.name, count) for count in results.rows)]
        for contestant in results.contestants
        if contestant.name not in without
    ]
    return table(header, rows)


def _seconds_cell(results: Results, name: str, rows: int) -> str:
    found = results.found.get((name, rows))
    if found is None:
        return "not run"
    if isinstance(found, Failed):
        return found.reason
    times = max(1, len(found.seconds))
    return shown_seconds(found.median) + ("" if times >= _ENOUGH else f" ({times}×)")


def _processor_cell(results: Results, name: str, rows: int) -> str:
    found = results.found.get((name, rows))
    return shown_seconds(found.processor_median) if isinstance(found, Measured) else ""


def _ratio_cell(results: Results, name: str, rows: int) -> str:
    found = _ratio(results.seconds(name, rows), results.seconds(OWN, rows))
    return "" if found is None else f"{found:.2f}" if found < 10 else f"{found:.0f}"


def _memory_cell(results: Results, name: str, rows: int) -> str:
    found = results.peak(name, rows)
    return "" if found is None else shown_bytes(found)


def _difference_cell(results: Results, name: str, rows: int) -> str:
    found = results.differences.get((name, rows))
    return "" if found is None else str(found)


def _ratio(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else value / base


def _times(value: float) -> str:
    return f"{value:.2f} ×" if value < 10 else f"{value:.0f} ×"


_AIMS = (
    Aim(
        "100,000 rows beside the faster bare DuckDB ASOF join",
        "at most 1 ×, better 0.5 ×",
        lambda found: _ratio(found.seconds(OWN, _MIDDLE), found.best_duckdb(_MIDDLE)),
        _times,
        lambda value: value <= 1,
    ),
    Aim(
        "100,000 rows beside Polars join_asof",
        "",
        lambda found: _ratio(found.seconds(OWN, _MIDDLE), found.seconds(POLARS, _MIDDLE)),
        _times,
        lambda _: True,
    ),
    Aim(
        "100,000 rows: Feast with DuckDB takes",
        "at least 5 × as long",
        lambda found: _ratio(found.seconds(FEAST_DUCKDB, _MIDDLE), found.seconds(OWN, _MIDDLE)),
        _times,
        lambda value: value >= 5,
    ),
    Aim(
        "100,000 rows: Feast by default takes",
        "at least 40 × as long",
        lambda found: _ratio(found.seconds(FEAST_DEFAULT, _MIDDLE), found.seconds(OWN, _MIDDLE)),
        _times,
        lambda value: value >= 40,
    ),
    Aim(
        "from 100,000 to 1,000,000 rows",
        "at most 8 ×",
        lambda found: _ratio(found.seconds(OWN, _MANY), found.seconds(OWN, _MIDDLE)),
        _times,
        lambda value: value <= 8,
    ),
    Aim(
        "peak memory beside Feast with DuckDB, 100,000 rows",
        "below 1 ×",
        lambda found: _ratio(found.peak(OWN, _MIDDLE), found.peak(FEAST_DUCKDB, _MIDDLE)),
        _times,
        lambda value: value < 1,
    ),
    Aim(
        "peak memory beside Feast with DuckDB, 1,000,000 rows",
        "below 1 ×",
        lambda found: _ratio(found.peak(OWN, _MANY), found.peak(FEAST_DUCKDB, _MANY)),
        _times,
        lambda value: value < 1,
    ),
    Aim("10 rows", "at most 60 ms", lambda found: found.seconds(OWN, _FEW), shown_seconds, lambda value: value <= 0.06),
    Aim(
        "100,000 rows over HTTP beside in process",
        "at most 1.3 ×",
        lambda found: _ratio(found.seconds(OWN_HTTP, _MIDDLE), found.seconds(OWN, _MIDDLE)),
        _times,
        lambda value: value <= 1.3,
    ),
)


def _aims(results: Results) -> list[list[str]]:
    lines = []
    for aim in _AIMS:
        value = aim.value(results)
        if value is not None:
            met = "" if not aim.aim else "yes" if aim.met(value) else "no"
            lines.append([aim.text, aim.aim, aim.shown(value), met])
    return lines
