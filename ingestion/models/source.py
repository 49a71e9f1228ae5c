from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.fields import StampedField, name_validator

WAREHOUSE = "warehouse"  # the source that step 6 left, and of groups that name no other


class SourceKind(models.TextChoices):
    SQLITE = "sqlite", _("SQLite database")
    CSV = "csv", _("folder of CSV files")
    PARQUET = "parquet", _("folder of Parquet files")


class Source(models.Model):
    """Where tables are read from; declared in the configuration."""

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    kind = models.CharField(max_length=20, choices=SourceKind.choices)
    location = models.CharField(max_length=1000, help_text="Path of the database file, or of the folder of files.")
    reports_location = models.CharField(max_length=1000, blank=True, help_text="Folder of the step-6 reports.")
    declared = models.JSONField(
        default=dict,
        editable=False,
        help_text="What the configuration said when it was last applied: what was set here since then is kept.",
    )
    updated_at = StampedField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
