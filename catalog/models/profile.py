from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from catalog.models.version import FeatureVersion


class FeatureProfile(models.Model):
    """Statistics and quality of a feature version at one time, over the newest row of every entity.

    Completeness, validity and consistency are shares from 0 to 1; null where there was nothing to measure.
    """

    version = models.ForeignKey(FeatureVersion, on_delete=models.CASCADE, related_name="profiles")
    computed_at = models.DateTimeField(db_index=True)
    # Null where no run made it: nulls do not collide in the unique constraint.
    run_id = models.CharField(  # noqa: DJ001
        max_length=40, null=True, blank=True, help_text="The run after which it was computed."
    )
    table_version = models.BigIntegerField(null=True, blank=True)
    row_count = models.BigIntegerField()
    null_count = models.BigIntegerField()
    distinct_count = models.BigIntegerField(null=True, blank=True)
    min_value = models.JSONField(null=True, blank=True)
    max_value = models.JSONField(null=True, blank=True)
    mean_value = models.FloatField(null=True, blank=True)
    std_dev = models.FloatField(null=True, blank=True)
    quantiles = models.JSONField(default=dict, blank=True, help_text='{"0.05": …, "0.5": …}')
    histogram = models.JSONField(default=dict, blank=True, help_text='{"edges": […], "counts": […]}')
    top_values = models.JSONField(default=list, blank=True, help_text='[{"value": …, "count": …}]')
    completeness = models.FloatField(null=True, blank=True)
    validity = models.FloatField(null=True, blank=True)
    consistency = models.FloatField(null=True, blank=True)
    newest_event = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-computed_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["version", "-computed_at"], name="profile_of_version")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "run_id"], name="profile_once_per_run"),
            models.CheckConstraint(
                condition=Q(null_count__gte=0) & Q(row_count__gte=models.F("null_count")), name="profile_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} at {self.computed_at:%Y-%m-%d %H:%M}"
