from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.errors import FeatureStoreError
from catalog.presentation import format_bytes
from featurestore_site.backup import back_up


class Command(BaseCommand):
    help = "Copy the SQLite database, while it is in use, with the versions of the offline tables that belong to it."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            made = back_up(settings.FEATURESTORE)
        except FeatureStoreError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"the backup cannot be written: {error}") from error
        self.stdout.write(
            f"{made.folder}: database {format_bytes(made.database_bytes)}, {len(made.tables)} offline tables named, "
            f"{made.removed} older backups removed"
        )
