from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from ingestion.group_status import GroupStatus
from ingestion.problems import Problem, ProblemLevel
from ingestion.status import StoreStatus, StoreTotals, as_json, store_status

UNHEALTHY = 1
HEAD = ("group", "features", "online", "history", "version", "newest event", "freshness", "last run")


class Command(BaseCommand):
    help = (
        "Say how the store stands: what it holds, how fresh each group is, how the last runs went and what is wrong. "
        "Exit code 0 when it is healthy, 1 when there is an error; a warning, such as a declared column that the "
        "source lacks, is told and leaves it healthy."
    )
    # It says itself, as a problem, which migrations are missing.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print everything as one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        status = store_status()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(status), indent=2))
        else:
            self._print(status)
        if not status.healthy:
            sys.exit(UNHEALTHY)

    def _print(self, status: StoreStatus) -> None:
        if status.totals is not None:
            self._print_totals(status.totals)
        if status.groups:
            self.stdout.write("")
            self._print_table([HEAD, *(self._row(group, status) for group in status.groups)])
        if status.problems:
            self.stdout.write("")
        for problem in status.problems:
            self._print_problem(problem)
        errors = sum(problem.level is ProblemLevel.ERROR for problem in status.problems)
        warnings = len(status.problems) - errors
        verdict = self.style.SUCCESS("healthy") if status.healthy else self.style.ERROR("not healthy")
        self.stdout.write(f"\nThe store is {verdict}: {_count(errors, 'error')}, {_count(warnings, 'warning')}.")

    def _print_totals(self, totals: StoreTotals) -> None:
        size = "" if totals.database_bytes is None else f", {size_text(totals.database_bytes)}"
        self.stdout.write(f"database  {totals.database}{size}, {totals.rows_online:,} rows online")
        self.stdout.write(
            f"history   {totals.offline_path}, {size_text(totals.offline_bytes)}, {totals.rows_history:,} rows"
        )
        self.stdout.write(
            f"catalog   {totals.groups} groups, {totals.features} features, {totals.versions} versions, "
            f"{totals.services} services"
        )

    def _row(self, group: GroupStatus, status: StoreStatus) -> tuple[str, ...]:
        name = group.name if group.status == "active" else f"{group.name} ({group.status})"
        lacking = f" ({group.without_values} without values)" if group.without_values else ""
        freshness = "no promise"
        if group.freshness is not None:
            freshness = f"{'late' if group.is_late else 'ok'}, promised {span_text(group.freshness)}"
        run = group.last_run
        return (
            name,
            f"{group.features}{lacking}",
            f"{group.rows_online:,}",
            f"{group.rows_history:,}",
            "–" if group.table_version is None else str(group.table_version),
            "none" if group.age is None else f"{span_text(group.age)} ago",
            freshness,
            "never" if run is None else f"{run.state} {span_text(status.at - run.at)} ago",
        )

    def _print_table(self, rows: Sequence[Sequence[str]]) -> None:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for position, row in enumerate(rows):
            line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            self.stdout.write(self.style.MIGRATE_HEADING(line) if position == 0 else line)

    def _print_problem(self, problem: Problem) -> None:
        paint = self.style.ERROR if problem.level is ProblemLevel.ERROR else self.style.WARNING
        subject = f"{problem.subject}: " if problem.subject else ""
        self.stdout.write(f"{paint(problem.level.value):<7}  {subject}{problem.message}")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def size_text(count: int) -> str:
    """``1.2 MB``: bytes in the decimal unit that gives the shortest number."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def span_text(span: timedelta) -> str:
    """``3 h``: how long, in the largest unit of which there are at least two."""
    seconds = max(0.0, span.total_seconds())
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
