from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.actor import acting
from catalog.errors import FeatureStoreError
from catalog.models import FeatureGroup
from ingestion.group_choice import choose_groups
from ingestion.models import RunKind, RunState
from ingestion.run_display import execute_with_bar, summary_of


class Command(BaseCommand):
    help = "Ingest the new rows of feature groups, here and now. Exit code 1 when a run does not succeed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("groups", nargs="*", metavar="GROUP", help="feature groups; default: all")
        parser.add_argument(
            "--timeout",
            type=float,
            default=3600.0,
            metavar="SECONDS",
            help="how long to wait while another run holds a group; default: %(default)s",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            groups = choose_groups(options["groups"] or None, among=FeatureGroup.objects.ingested())
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        if not groups:
            raise CommandError("the catalog has no feature group; run manage.py apply first")
        failed = []
        with acting(None, "command line"):
            for group in groups:
                run = execute_with_bar(group, kind=RunKind.INGEST, trigger="command", timeout=options["timeout"])
                succeeded = run.state == RunState.SUCCEEDED
                style = self.style.SUCCESS if succeeded else self.style.ERROR
                self.stdout.write(style(summary_of(run)))
                for problem in run.problems:
                    self.stdout.write(f"  {problem['message']}")
                if not succeeded:
                    failed.append(group.name)
        if failed:
            raise CommandError(f"{len(failed)} of {len(groups)} runs did not succeed: {', '.join(failed)}")
