"""``manage.py demo_warehouse``: make the demo warehouse that the pipeline's step 6 could have left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from catalog import clock
from catalog.errors import FeatureStoreError
from ingestion.demo_warehouse import make_demo_warehouse


class Command(BaseCommand):
    help = "Make a realistic, seeded warehouse of the step-6 shape with daily history."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, metavar="DIR", help="default: demo in the data folder")
        parser.add_argument("--customers", type=int, default=2000, help="default: %(default)s")
        parser.add_argument("--days", type=int, default=30, help="daily runs, default: %(default)s")
        parser.add_argument("--seed", type=int, default=7, help="same seed, same rows; default: %(default)s")
        parser.add_argument("--force", action="store_true", help="replace the warehouse that is there")

    def handle(self, *_args: Any, **options: Any) -> None:
        end = clock.now().replace(minute=0, second=0, microsecond=0)
        with tqdm(total=options["days"], unit="day", desc="Step-6 runs", leave=False, disable=None) as bar:

            def show(done: int, _total: int) -> None:
                bar.update(done - bar.n)

            try:
                made = make_demo_warehouse(
                    out=options["out"] or settings.FEATURESTORE.data_dir / "demo",
                    end=end,
                    customers=options["customers"],
                    days=options["days"],
                    seed=options["seed"],
                    force=options["force"],
                    progress=show,
                )
            except FeatureStoreError as error:
                raise CommandError(error.message) from error
        verb = "Made" if made.created else "Left as it is (use --force to replace it):"
        self.stdout.write(f"{verb} {made.database} with {sum(made.rows.values()):,} rows")
        for table, count in made.rows.items():
            self.stdout.write(f"  {table:<26}{count:>9,}")
        self.stdout.write(f"Reports: {made.reports}")
