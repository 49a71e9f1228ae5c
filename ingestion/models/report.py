from __future__ import annotations

from typing import ClassVar

from django.db import models

from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models.run import IngestionRun


class ValidationReport(models.Model):
    """What the checks of one group found at one time."""

    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="validation_reports")
    run = models.OneToOneField(
        IngestionRun, null=True, blank=True, on_delete=models.CASCADE, related_name="validation_report"
    )
    created_at = models.DateTimeField(db_index=True)
    passed = models.BooleanField(help_text="No quality threshold and no rule of severity fail was missed.")
    row_count = models.BigIntegerField()
    completeness = models.FloatField(null=True, blank=True)
    validity = models.FloatField(null=True, blank=True)
    consistency = models.FloatField(null=True, blank=True)
    thresholds = models.JSONField(default=dict)
    shortfalls = models.JSONField(default=list, blank=True, help_text="[{feature, rule, message}] of what fell short.")

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["group", "-created_at"], name="reports_of_group")]

    def __str__(self) -> str:
        return f"{self.group.name} {self.created_at:%Y-%m-%d %H:%M} {'passed' if self.passed else 'fell short'}"


class RuleResult(models.Model):
    """How the rows stood to one rule, within one validation report."""

    report = models.ForeignKey(ValidationReport, on_delete=models.CASCADE, related_name="results")
    version = models.ForeignKey(
        FeatureVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="rule_results"
    )
    rule = models.CharField(max_length=120, help_text="min_value, max_value, categories, pattern, type, row rule …")
    severity = models.CharField(max_length=20)
    passed = models.BooleanField()
    checked = models.BigIntegerField()
    failed = models.BigIntegerField()
    message = models.CharField(max_length=500, blank=True)
    sample = models.JSONField(default=list, blank=True, help_text="Some of the rows that broke it.")
    measured = models.FloatField(null=True, blank=True, help_text="The number that was compared, such as the drift.")
    threshold = models.FloatField(null=True, blank=True, help_text="What it was compared with.")
    # Kept beside the two so that the greatest of many can be found by an index.
    ratio = models.FloatField(null=True, blank=True, help_text="Measured as a multiple of the threshold.")

    class Meta:
        ordering: ClassVar = ["report_id", "version_id", "rule"]
        indexes: ClassVar = [models.Index(fields=["rule", "ratio"], name="results_by_ratio")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(failed__gte=0) & models.Q(checked__gte=models.F("failed")), name="rule_result_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.failed} of {self.checked}"


class QuarantinedRow(models.Model):
    """A row that a rule of severity reject kept out, with its reasons; kept once however often it is met."""

    group = models.ForeignKey(FeatureGroup, on_delete=models.CASCADE, related_name="quarantined_rows")
    row_hash = models.CharField(max_length=64)
    entity_key = models.TextField(blank=True)
    event_timestamp = models.CharField(max_length=64, blank=True, help_text="As the source has it.")
    row = models.JSONField()
    reasons = models.JSONField(help_text="[{rule, feature, message}]")
    first_run = models.ForeignKey(IngestionRun, null=True, on_delete=models.SET_NULL, related_name="+")
    last_run = models.ForeignKey(IngestionRun, null=True, on_delete=models.SET_NULL, related_name="quarantined_rows")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-last_seen", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "row_hash"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.group.name} {self.entity_key}"
