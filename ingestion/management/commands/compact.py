from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.actor import acting
from catalog.errors import FeatureStoreError
from catalog.models import FeatureGroup
from ingestion.compaction import compact_group, groups_worth_compacting
from ingestion.group_choice import choose_groups


class Command(BaseCommand):
    help = (
        "Make few sorted files of the histories of feature groups, so that reading them is little work. "
        "Readers are not held up, and no row changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("groups", nargs="*", metavar="GROUP", help="feature groups; default: all")
        parser.add_argument("--worthwhile", action="store_true", help="only histories that lie in many files")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            groups = choose_groups(options["groups"] or None, among=FeatureGroup.objects.ingested())
            if options["worthwhile"]:
                wanted = {group.pk for group in groups_worth_compacting()}
                groups = [group for group in groups if group.pk in wanted]
            with acting(None, "command line"):
                for group in groups:
                    self._compact(group)
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{len(groups)} histories looked at.")

    def _compact(self, group: FeatureGroup) -> None:
        done = compact_group(group)
        if done is None:
            self.stdout.write(f"{group.name}: nothing was ever ingested")
            return
        self.stdout.write(
            f"{group.name}: {done.files_before} files of {done.bytes_before:,} bytes became {done.files_after} of "
            f"{done.bytes_after:,}; {done.deleted} old files deleted; version {done.table_version}"
        )
