from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.errors import FeatureStoreError
from ingestion.documentation import write_reports
from ingestion.documentation.rendering import RENDERERS


class Command(BaseCommand):
    help = (
        "Write the feature documentation (Markdown, HTML, JSON), the catalog exports and the metadata as files. "
        "Without options, what the configuration's section output asks for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", metavar="FOLDER", type=Path, help="folder (default: output.reports_dir)")
        parser.add_argument(
            "--format",
            action="append",
            choices=list(RENDERERS),
            help="format of the documentation; may be given several times (default: output.docs_format)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            written = write_reports(directory=options["output"], formats=options["format"])
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"the reports cannot be written: {error}") from error
        for path in written:
            self.stdout.write(f"{path}  {path.stat().st_size:,} bytes")
        self.stdout.write(f"{len(written)} files written.")
