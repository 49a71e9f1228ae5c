from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalog.models import Feature


class FeatureUsage(models.Model):
    """How often a caller read the values of a feature on one day (UTC), folded from the access log."""

    day = models.DateField()
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="usage")
    caller = models.CharField(max_length=200)
    online_reads = models.BigIntegerField(default=0)
    historical_reads = models.BigIntegerField(default=0)
    entities = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "feature", "caller"], name="usage_once_per_day_and_caller")
        ]

    def __str__(self) -> str:
        return f"{self.feature} {self.day} {self.caller}"


class FoldedLog(models.Model):
    """How far an access log file has been folded into usage, so that no line counts twice."""

    name = models.CharField(max_length=200, unique=True)
    offset = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} to {self.offset}"


class LatencyBucket(models.Model):
    """Requests of one kind in one hour, by how long they took: the counts behind the latency percentiles."""

    hour = models.DateTimeField()
    kind = models.CharField(max_length=20)
    upper_ms = models.FloatField(help_text="Upper end of the bucket, milliseconds.")
    requests = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-hour", "kind", "upper_ms"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hour", "kind", "upper_ms"], name="latency_bucket_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.hour} ≤ {self.upper_ms} ms"
