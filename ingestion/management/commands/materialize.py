from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from catalog.actor import acting
from catalog.errors import FeatureStoreError
from catalog.models import FeatureGroup
from ingestion.group_choice import choose_groups
from ingestion.rebuilding import rebuild_online


class Command(BaseCommand):
    help = "Rebuild the online rows of feature groups from their history. Readers see the old ones until then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("groups", nargs="*", metavar="GROUP", help="feature groups; default: all")
        parser.add_argument(
            "--new-only", action="store_true", help="only carry over what was appended since the last time"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            groups = choose_groups(options["groups"] or None, among=FeatureGroup.objects.ingested())
            with acting(None, "command line"):
                for group in groups:
                    with tqdm(desc=group.name, unit=" rows", leave=False, disable=None) as bar:
                        done = rebuild_online(group, whole=not options["new_only"], progress=bar.update)
                    self.stdout.write(
                        f"{group.name}: nothing was ever ingested"
                        if done is None
                        else f"{group.name}: {done.rows_written:,} online rows written, at version {done.table_version}"
                    )
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
