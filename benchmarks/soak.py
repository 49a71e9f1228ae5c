"""Mixed load on two workers for some minutes: nobody is answered wrongly, and the memory stays flat.

``python -m benchmarks.soak`` fails on any error that is not expected, on an answer older than an acknowledged write,
on an edit that is not in force within a second, and on memory that keeps growing. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.own_store import PROJECT
from benchmarks.report import shown_bytes, shown_seconds, table, write_between
from benchmarks.scratch_folder import folder_of_run
from benchmarks.soak_actors import (
    edit_defaults,
    edit_groups,
    edit_roles,
    ingest,
    read_by_feasts_call,
    read_rows,
    read_what_is_edited,
    revoke_tokens,
)
from benchmarks.soak_memory import LEAST_SECONDS, POOL, MemoryWatch, Watched, compared, growing
from benchmarks.soak_stage import Hands, Soak
from benchmarks.soak_store import make_soak_store, soak_server

_ACTORS = (
    read_rows, read_rows, read_rows, read_by_feasts_call, read_what_is_edited, ingest, edit_groups, edit_defaults,
    edit_roles, revoke_tokens,
)  # fmt: skip
PAGE = PROJECT / "docs" / "performance.md"
_LAST_SECONDS = 60.0
_MOST_SHARE = 0.15
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    with folder_of_run(asked.folder) as folder:
        _say("a store, ingested once")
        make_soak_store(folder, workers=asked.workers)
        with soak_server(folder) as server:
            hands = Hands(folder)
            try:
                hands.do("user", name="steward", role="steward")
                soak = Soak(address=server.address, folder=folder, hands=hands, workers=asked.workers)
                watch = MemoryWatch(server.pid)
                watch.start()
                _act(soak, seconds=asked.minutes * 60)
                watch.stop()
            finally:
                hands.close()
    warm_up = asked.warm_up if asked.warm_up is not None else asked.minutes * 60 / 3
    watched = list(watch.watched.values())
    larger = growing(watched, after=warm_up, most=asked.slope * 1e6, most_share=_MOST_SHARE)
    text = _report(soak, watched, asked=asked, warm_up=warm_up)
    print(text)
    for fault in [*soak.faults, *larger]:
        print(f"WRONG: {fault}")
    if soak.counts["faults"] or larger:
        sys.exit(1)
    print("Nothing was wrong.")
    if asked.write:
        write_between(PAGE, name="soak", text=text)


def _act(soak: Soak, *, seconds: float) -> None:
    _say(f"load on {soak.address} for {seconds / 60:g} minutes")
    threads = [soak.run(actor) for actor in _ACTORS]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        soak.stop.wait(min(30.0, max(0.1, end - time.monotonic())))
        _say(f"{sum(soak.counts.values())} calls, {soak.counts['faults']} faults, "
             f"{', '.join(f'{law.name}: {law.count}' for law in soak.laws)}")  # fmt: skip
    soak.stop.set()
    for thread in threads:
        thread.join(_LAST_SECONDS)


def _report(soak: Soak, watched: Sequence[Watched], *, asked: argparse.Namespace, warm_up: float) -> str:
    calls = {name: count for name, count in soak.counts.items() if name != "faults"}
    laws = [[law.name, f"{law.count}", f"{law.slowest:.2f} s"] for law in soak.laws]
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {this_machine()}.",
        f"{asked.minutes:g} minutes, {asked.workers} workers: "
        + ", ".join(f"{count:,} × {name}" for name, count in calls.items()),
        f"Reads: {len(soak.latencies) / asked.minutes / 60:,.0f} a second, median "
        f"{shown_seconds(statistics.median(soak.latencies))}, 99th percentile "
        f"{shown_seconds(statistics.quantiles(soak.latencies, n=100)[98])}.",
        table(["", "acknowledged", "seen the older after it, at most"], laws),
        f"Resident memory over the life of each process, and its slope after {warm_up:.0f} s (at most "
        f"{asked.slope:g} MB a minute; processes of the pool, which are replaced after some tasks, at most "
        f"{_MOST_SHARE:.0%} above the first, of those that lived for {LEAST_SECONDS:.0f} s: here "
        f"{len(compared(watched))}):",
        table(
            ["", *(f"{share:.0%}" for share in _SHARES), "MB a minute"],
            [
                [
                    process.name,
                    *(shown_bytes(size) for size in process.at_shares(_SHARES)),
                    ""
                    if process.name == POOL or (slope := process.slope(after=warm_up)) is None
                    else f"{slope / 1e6:+.2f}",
                ]
                for process in watched
                if process.life >= 10
            ],
        ),
    ]
    return "\n\n".join(parts)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="web workers (%(default)s)")
    parser.add_argument("--slope", type=float, default=1.0, help="most MB a minute of any process (%(default)s)")
    parser.add_argument("--warm-up", type=float, help="seconds after which memory must be flat (default: a third)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(PROJECT)}")
    parser.add_argument("--folder", type=Path, help="keep store and logs here; default: a temporary folder")
    return parser


if __name__ == "__main__":
    main()
