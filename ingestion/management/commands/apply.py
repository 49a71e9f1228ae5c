from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from catalog.actor import acting
from catalog.errors import FeatureStoreError
from catalog.registration import ChangeKind, Plan
from catalog.registration.printing import counts_text, plan_lines
from ingestion.applying import apply_configuration, configured, plan_configuration
from ingestion.migration_state import unapplied_migrations

DIFFERENT = 2


class Command(BaseCommand):
    help = (
        "Make the catalog match the configuration: sources, entities, groups, features, services and schedules. "
        "Prints the difference first; what is no longer declared is deprecated, never deleted. With --plan nothing is "
        "written, and the exit code is 0 when nothing would change and 2 when something would."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--plan", action="store_true", help="only print the difference; exit code 2 if there is one"
        )
        parser.add_argument("--config", metavar="PATH", help="configuration file (default: FEATURESTORE_CONFIG)")

    def handle(self, *_: Any, **options: Any) -> None:
        self._check_file(options["config"])
        try:
            plan = plan_configuration(configured())
            self._print(plan)
            if options["plan"]:
                self.stdout.write(f"Would be: {counts_text(plan)}.")
                if plan:
                    sys.exit(DIFFERENT)
                return
            with acting(None, "manage.py apply"):
                done = apply_configuration(configured())
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        except (OperationalError, ProgrammingError) as error:
            if missing := unapplied_migrations():
                raise CommandError(f"run manage.py migrate first; {len(missing)} migrations are not applied") from error
            raise
        if done.changed != plan.changed:
            self.stdout.write("The catalog was changed meanwhile; what was done instead:")
            self._print(done)
        self.stdout.write(f"Applied {settings.FEATURESTORE.file}: {counts_text(done)}.")

    def _check_file(self, path: str | None) -> None:
        """The file says where the database is, so it is read at start; manage.py does so for ``--config``."""
        file = settings.FEATURESTORE.file
        if path is not None and Path(path).expanduser().absolute().resolve() != file:
            raise CommandError(f"{file} is already in use; start manage.py with --config, or set FEATURESTORE_CONFIG")

    def _print(self, plan: Plan) -> None:
        for line in plan_lines(plan, paint=self._paint):
            self.stdout.write(line)

    def _paint(self, kind: ChangeKind, text: str) -> str:
        styles = {
            ChangeKind.ADDED: self.style.SUCCESS,
            ChangeKind.RESTORED: self.style.SUCCESS,
            ChangeKind.UPDATED: self.style.WARNING,
            ChangeKind.MINOR: self.style.WARNING,
            ChangeKind.MAJOR: self.style.ERROR,
            ChangeKind.DEPRECATED: self.style.NOTICE,
            ChangeKind.ARCHIVED: self.style.NOTICE,
        }
        return styles.get(kind, str)(text)
