from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from catalog.actor import acting
from catalog.clock import living_at, now
from catalog.errors import FeatureStoreError
from catalog.following import follow
from catalog.models import FeatureGroup
from catalog.registration.printing import counts_text
from featurestore_site.first_steps import ensure_administrator, example_path, first_token
from ingestion.applying import apply_configuration, configured
from ingestion.demo_bank import Replay, archive_demo_bank, replay_demo_bank, replay_to_do
from ingestion.demo_warehouse import make_demo_warehouse
from ingestion.models import WAREHOUSE, IngestionRun, RunKind, RunState, Source, ValidationReport
from ingestion.run_display import execute_with_bar, summary_of
from ingestion.source_registration import move_source

# What the administrator of the demo bank follows, so that there is something on the home page.
FOLLOWED: Final = ("customer_financial", "customer_service_desk", "merchant_settlements")
_DEMO_DAYS = 30
_WAIT_SECONDS = 300.0


class Command(BaseCommand):
    help = (
        "From nothing to a running feature store: migrate, apply the configuration, live through a month of the demo "
        "bank (or take your warehouse), ingest, validate, make an administrator and a token, serve. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        serving = settings.FEATURESTORE.serving
        parser.add_argument("--warehouse", type=Path, metavar="PATH", help="step-6 SQLite warehouse to read")
        parser.add_argument("--reports", type=Path, metavar="PATH", help="folder of its step-6 reports")
        parser.add_argument("--password", help="password of the administrator; default: a random one, shown once")
        parser.add_argument("--host", default=serving.api_host, help="address to serve on (%(default)s)")
        parser.add_argument("--port", type=int, default=serving.api_port, help="port to serve on (%(default)s)")
        parser.add_argument("--no-serve", action="store_true", help="prepare everything and end")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            with acting(None, "quickstart"):
                self._prepare(options)
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        if not options["no_serve"]:
            call_command("serve", host=options["host"], port=options["port"], stdout=self.stdout, stderr=self.stderr)

    def _prepare(self, options: dict[str, Any]) -> None:
        for warning in settings.FEATURESTORE.warnings:
            self.stderr.write(self.style.WARNING(f"configuration: {warning}"))
        warehouse = _existing_file(options["warehouse"], "--warehouse")
        reports = _existing_folder(options["reports"], "--reports")
        self._step("Database")
        call_command("migrate", verbosity=0)
        self.stdout.write(f"  {settings.FEATURESTORE.database.kind}, migrated")
        replay = self._replay_to_do(warehouse)
        self._step("Configuration")
        with living_at(now() if replay is None else replay.begin):
            done = apply_configuration(configured())
        self.stdout.write(f"  {counts_text(done)}")
        self._step("Warehouse")
        self._warehouse(warehouse, reports, replay)
        self._step("Ingestion")
        self._ingest()
        self._step("Validation")
        self._validate()
        self._step("Ready")
        self._show_access(options, follows=FOLLOWED if replay is not None else ())

    def _step(self, title: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        self.stdout.flush()

    def _replay_to_do(self, warehouse: Path | None) -> Replay | None:
        """The days of the demo bank that are to be lived through, where the demo is what is read."""
        declared = settings.FEATURESTORE.input_sources.step6_datawarehouse
        source = Source.objects.filter(name=WAREHOUSE).first()
        location = Path(declared if source is None else source.location)
        if warehouse is not None or not location.is_relative_to(_demo_folder()):
            return None
        return replay_to_do(folder=_demo_folder())

    def _warehouse(self, warehouse: Path | None, reports: Path | None, replay: Replay | None) -> None:
        if warehouse is not None:
            folder = reports or _reports_beside(warehouse)
            move_source(name=WAREHOUSE, location=str(warehouse), reports_location=str(folder or ""))
        source = Source.objects.get(name=WAREHOUSE)
        if warehouse is None and reports is not None:
            move_source(name=WAREHOUSE, location=source.location, reports_location=str(reports))
        if not Path(source.location).is_relative_to(_demo_folder()):
            self.stdout.write(f"  {source.location}")
            if archived := archive_demo_bank():
                self.stdout.write(f"  archived, as the demo's: {', '.join(archived)}")
        elif replay is not None:
            self._live_through(replay)
        else:
            self._demo_warehouse()

    def _live_through(self, replay: Replay) -> None:
        with tqdm(
            total=replay.days, initial=replay.done, unit="day", desc="  demo bank", leave=False, disable=None
        ) as bar:
            replay_demo_bank(replay, progress=lambda done: bar.update(max(0, done - bar.n)))
        runs = IngestionRun.objects.filter(trigger="schedule")
        failed = runs.filter(state=RunState.FAILED).count()
        self.stdout.write(f"  {replay.days} days of the demo bank: {runs.count()} runs, of which {failed} failed")

    def _demo_warehouse(self) -> None:
        end = now().replace(minute=0, second=0, microsecond=0)
        with tqdm(total=_DEMO_DAYS, unit="day", desc="  demo", leave=False, disable=None) as bar:
            made = make_demo_warehouse(
                out=_demo_folder(), end=end, days=_DEMO_DAYS, progress=lambda day, _total: bar.update(day - bar.n)
            )
        verb = "demo warehouse made" if made.created else "demo warehouse of before"
        self.stdout.write(f"  {verb}: {sum(made.rows.values()):,} rows in {len(made.rows)} tables")

    def _ingest(self) -> None:
        """Ingest every group; one that cannot be is told and does not keep the others from being tried."""
        ingested = 0
        failed = []
        for group in FeatureGroup.objects.ingested().select_related("entity"):
            run = execute_with_bar(group, kind=RunKind.INGEST, trigger="quickstart", timeout=_WAIT_SECONDS)
            if run.state != RunState.SUCCEEDED:
                failed.append(summary_of(run))
                self.stdout.write(self.style.ERROR(f"  {failed[-1]}"))
                continue
            ingested += 1
            self.stdout.write(f"  {summary_of(run)}")
            for problem in run.problems:
                self.stdout.write(self.style.WARNING(f"    {problem['message']}"))
        if failed and not ingested:
            raise CommandError("; ".join(failed))

    def _validate(self) -> None:
        for group in FeatureGroup.objects.ingested().select_related("entity"):
            run = execute_with_bar(group, kind=RunKind.VALIDATE, trigger="quickstart", timeout=_WAIT_SECONDS)
            report = ValidationReport.objects.filter(run=run).first()
            if report is None:
                raise CommandError(summary_of(run))
            style = self.style.SUCCESS if report.passed else self.style.WARNING
            self.stdout.write(style(f"  {group.name}: {'passed' if report.passed else 'fell short'}"))
            for shortfall in report.shortfalls:
                self.stdout.write(self.style.WARNING(f"    {shortfall['message']}"))

    def _show_access(self, options: dict[str, Any], *, follows: Sequence[str]) -> None:
        administrator = ensure_administrator(password=options["password"])
        for group in FeatureGroup.objects.filter(name__in=follows):
            follow(user=administrator.user, subject=group)
        key = first_token(administrator)
        address = f"http://{options['host']}:{options['port']}"
        secret = administrator.password or "(the one it has)"
        self.stdout.write(f"  Pages   {address}/   administrator {administrator.user.username}, password {secret}")
        self.stdout.write(f"  Token   {key}")
        path = example_path()
        if path is not None:
            self.stdout.write("  Try it  (while it is served)")
            self.stdout.write(f'    curl -H "Authorization: Token {key}" {address}{path}')
        if options["no_serve"]:
            self.stdout.write(f"  Serve   {Path(sys.argv[0]).name} serve --port {options['port']}")


def _demo_folder() -> Path:
    return Path(settings.FEATURESTORE.data_dir) / "demo"


def _existing_file(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_file():
        raise CommandError(f"{option}: there is no file {path}")
    return None if path is None else path.resolve()


def _existing_folder(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_dir():
        raise CommandError(f"{option}: there is no folder {path}")
    return None if path is None else path.resolve()


def _reports_beside(warehouse: Path) -> Path | None:
    """Where step 6 puts its reports: the folder ``reports`` next to that of the warehouse."""
    folder = warehouse.parent.parent / "reports"
    return folder if folder.is_dir() else None
