"""The form in which runs and validation reports are told, and in which runs are asked for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.fields import StrictSerializer
from ingestion.durations import Usual
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, RunStep, ValidationReport
from ingestion.report_access import ReportAccess


@extend_schema_field(
    {
        "oneOf": [{"type": "boolean"}, {"type": "number", "minimum": 0}],
        "default": False,
        "description": "How long to wait for the end: seconds, or true for as long as a request may take.",
    }
)
class WaitField(serializers.Field[float, Any, float, float]):
    """Seconds to wait: ``true`` is as long as a request may take, ``false`` not at all."""

    def to_internal_value(self, data: Any) -> float:
        longest: float = settings.FEATURESTORE.serving.request_timeout_seconds
        if isinstance(data, bool):
            return longest if data else 0.0
        if not isinstance(data, (int, float)) or not 0 <= data <= longest:
            raise serializers.ValidationError(f"wait is true, false, or seconds from 0 to {longest:g}")
        return float(data)

    def to_representation(self, value: float) -> float:
        return value


class RunRequestSerializer(StrictSerializer):
    """Which groups, and whether to wait."""

    groups = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=1000,
        help_text="Names of feature groups; all of them when left out.",
    )
    wait = WaitField(required=False, default=0.0)


def _access(serializer: serializers.Serializer[Any]) -> ReportAccess:
    access: ReportAccess = serializer.context["access"]
    return access


class RunReferenceSerializer(serializers.Serializer[Any]):
    """A run, and where its state is told."""

    id = serializers.UUIDField()
    group = serializers.CharField(source="group.name")
    kind = serializers.ChoiceField(choices=RunKind.choices)
    state = serializers.ChoiceField(choices=RunState.choices)
    error = serializers.SerializerMethodField(help_text="Why it failed; null for readers who may not see the values.")
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_error(self, run: IngestionRun) -> str | None:
        return run.error if _access(self).shows_log(run) else None

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, run: IngestionRun) -> str:
        return reverse("run-detail", kwargs={"pk": run.pk}, request=self.context.get("request"))


class RunsSerializer(serializers.Serializer[Any]):
    runs = RunReferenceSerializer(many=True)


class ProblemSerializer(serializers.Serializer[Any]):
    """Something that the run found and that did not stop it."""

    code = serializers.CharField(default="")
    message = serializers.CharField(default="")
    feature = serializers.CharField(default=None, allow_null=True)
    rule = serializers.CharField(default=None, allow_null=True)


class RunSerializer(RunReferenceSerializer):
    """A run with its counts."""

    step = serializers.ChoiceField(choices=RunStep.choices)
    progress = serializers.FloatField(help_text="Share of the present step that is done, 0 to 1.")
    trigger = serializers.CharField()
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True, help_text="How long it took; null while it has not ended.")
    attempts = serializers.IntegerField()
    rows_read = serializers.IntegerField()
    rows_unchanged = serializers.IntegerField()
    rows_superseded = serializers.IntegerField(help_text="Older of several rows with the same key and times.")
    rows_flagged = serializers.IntegerField(help_text="Kept although they break a rule.")
    rows_rejected = serializers.IntegerField(help_text="Quarantined.")
    rows_appended = serializers.IntegerField()
    rows_online = serializers.IntegerField(help_text="Online rows that it changed or added.")
    table_version = serializers.IntegerField(allow_null=True)
    problem_count = serializers.SerializerMethodField()

    def get_problem_count(self, run: IngestionRun) -> int:
        return len(run.problems)


class UsualSerializer(serializers.Serializer[Usual]):
    """How long the last runs of the group and kind took that succeeded, in seconds."""

    runs = serializers.IntegerField()
    least = serializers.FloatField(source="percentiles.minimum")
    lower = serializers.FloatField(source="percentiles.lower", help_text="A quarter took less.")
    median = serializers.FloatField(source="percentiles.median")
    upper = serializers.FloatField(source="percentiles.upper", help_text="A quarter took more.")
    greatest = serializers.FloatField(source="percentiles.maximum")
    says = serializers.SerializerMethodField(help_text="How this run compares; empty unless it succeeded.")

    def get_says(self, usual: Usual) -> str:
        return usual.said_of(self.context["run"])


class RuleResultSerializer(serializers.Serializer[RuleResult]):
    """How the rows stood to one rule."""

    feature = serializers.SerializerMethodField()
    rule = serializers.CharField()
    severity = serializers.CharField()
    passed = serializers.BooleanField()
    checked = serializers.IntegerField()
    failed = serializers.IntegerField()
    measured = serializers.FloatField(
        allow_null=True, help_text="The number of the whole column that was compared, such as the index of drift."
    )
    threshold = serializers.FloatField(allow_null=True, help_text="What it was compared with.")
    message = serializers.SerializerMethodField()
    sample = serializers.SerializerMethodField(help_text="Some of the rows that broke it; null where it is hidden.")

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_feature(self, result: RuleResult) -> str | None:
        return None if result.version is None else result.version.feature.name

    @extend_schema_field(serializers.ListField(child=serializers.JSONField(), allow_null=True))
    def get_sample(self, result: RuleResult) -> Any:
        return result.sample if _access(self).shows(result) else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_message(self, result: RuleResult) -> str | None:
        return result.message if _access(self).shows(result) else None


class ReportSerializer(serializers.Serializer[Any]):
    """What the checks of one group found at one time."""

    id = serializers.IntegerField()
    group = serializers.CharField(source="group.name")
    run = serializers.UUIDField(source="run_id", allow_null=True)
    created_at = serializers.DateTimeField()
    passed = serializers.BooleanField(help_text="No quality threshold and no rule of severity fail was missed.")
    row_count = serializers.IntegerField()
    completeness = serializers.FloatField(allow_null=True)
    validity = serializers.FloatField(allow_null=True)
    consistency = serializers.FloatField(allow_null=True)
    thresholds = serializers.DictField(child=serializers.FloatField())
    shortfalls = serializers.SerializerMethodField(help_text="What fell short.")

    @extend_schema_field(ProblemSerializer(many=True))
    def get_shortfalls(self, report: ValidationReport) -> Any:
        return ProblemSerializer(_access(self).shortfalls(report), many=True).data


class DetailedReportSerializer(ReportSerializer):
    """A validation report with the result of each rule."""

    results = RuleResultSerializer(many=True)


class RunDetailSerializer(RunSerializer):
    """All that is known of a run."""

    problems = serializers.SerializerMethodField()
    log = serializers.SerializerMethodField(help_text="Null for readers who may not see the values.")
    report = serializers.SerializerMethodField(help_text="What its checks found; null when it made none.")
    rows_kept_out = serializers.SerializerMethodField(help_text="Rows that it met last and `quarantine` still holds.")
    previous = serializers.SerializerMethodField(help_text="Id of the run before it, of the same group and kind.")
    usual = serializers.SerializerMethodField(help_text="Null where too few like it have succeeded in 30 days.")

    def get_rows_kept_out(self, run: IngestionRun) -> int:  # noqa: ARG002  (the framework's signature)
        return int(self.context["rows_kept_out"])

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_previous(self, run: IngestionRun) -> Any:  # noqa: ARG002
        previous = self.context["previous"]
        return None if previous is None else str(previous.pk)

    @extend_schema_field(UsualSerializer(allow_null=True))
    def get_usual(self, run: IngestionRun) -> Any:
        usual = self.context["usual"]
        return None if usual is None else UsualSerializer(usual, context={"run": run}).data

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, run: IngestionRun) -> Any:
        return ProblemSerializer(_access(self).problems(run), many=True).data

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_log(self, run: IngestionRun) -> str | None:
        return run.log if _access(self).shows_log(run) else None

    @extend_schema_field(DetailedReportSerializer(allow_null=True))
    def get_report(self, run: IngestionRun) -> Any:
        report = self.context["reports"].get(run.pk)
        return None if report is None else DetailedReportSerializer(report, context=self.context).data


class ReportsSerializer(serializers.Serializer[Any]):
    """The reports of several groups together."""

    passed = serializers.BooleanField()
    groups = DetailedReportSerializer(many=True)


class ValidatedSerializer(RunsSerializer):
    """A validation that was waited for."""

    report = ReportsSerializer()
