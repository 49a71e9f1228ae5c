from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.actor import acting
from catalog.errors import FeatureStoreError
from catalog.models import FeatureGroup
from ingestion.group_choice import choose_groups
from ingestion.models import RunKind, RunState, ValidationReport
from ingestion.run_display import execute_with_bar, summary_of


class Command(BaseCommand):
    help = (
        "Check the current values of feature groups against their rules and the quality thresholds. "
        "Exit code 1 when a threshold, or a rule of severity fail, is missed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("groups", nargs="*", metavar="GROUP", help="feature groups")
        parser.add_argument("--check-all", action="store_true", help="all feature groups; the default without names")
        parser.add_argument("--timeout", type=float, default=3600.0, metavar="SECONDS")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["groups"] and options["check_all"]:
            raise CommandError("name groups, or say --check-all, not both")
        try:
            groups = choose_groups(options["groups"] or None, among=FeatureGroup.objects.ingested())
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        if not groups:
            raise CommandError("the catalog has no feature group; run manage.py apply first")
        with acting(None, "command line"):
            short = [group.name for group in groups if not self._passes(group, options["timeout"])]
        if short:
            raise CommandError(f"{len(short)} of {len(groups)} groups fell short: {', '.join(short)}")
        self.stdout.write(self.style.SUCCESS(f"All {len(groups)} groups passed."))

    def _passes(self, group: FeatureGroup, timeout: float) -> bool:
        run = execute_with_bar(group, kind=RunKind.VALIDATE, trigger="command", timeout=timeout)
        if run.state != RunState.SUCCEEDED:
            self.stdout.write(self.style.ERROR(summary_of(run)))
            return False
        report = ValidationReport.objects.get(run=run)
        style = self.style.SUCCESS if report.passed else self.style.ERROR
        shares = ", ".join(
            f"{name} {'not measured' if share is None else f'{share:.4f}'}"
            for name, share in (
                ("completeness", report.completeness),
                ("validity", report.validity),
                ("consistency", report.consistency),
            )
        )
        self.stdout.write(
            style(f"{group.name}: {'passed' if report.passed else 'fell short'} ({report.row_count:,} rows; {shares})")
        )
        for shortfall in report.shortfalls:
            self.stdout.write(self.style.ERROR(f"  short: {shortfall['message']}"))
        for result in report.results.filter(passed=False).select_related("version__feature"):
            self.stdout.write(f"  {result.severity}: {result.rule}: {result.message}")
        return report.passed
