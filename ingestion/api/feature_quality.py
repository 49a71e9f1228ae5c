"""``metadata/features/{ref}/quality``: the measures and the rules of one feature, as its page shows them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import refuse_unknown_parameters
from catalog.clock import now
from catalog.declarations import Severity
from catalog.disclosure import closed_features
from catalog.models import FeatureVersion
from catalog.quality_thresholds import thresholds
from catalog.references import resolve_references
from ingestion.models import RuleResult
from ingestion.rule_history import PLACES, by_rule_of, history_of, state_of
from ingestion.sample_reads import stored_samples_of, token_of


class MeasureSerializer(serializers.Serializer[Any]):
    """Completeness, validity or consistency against what is good enough."""

    name = serializers.CharField()
    share = serializers.FloatField(allow_null=True, help_text="From 0 to 1; null where it was not measured.")
    threshold = serializers.FloatField(allow_null=True, help_text="The least that is good enough; null: not judged.")
    falls_short = serializers.BooleanField()


class RuleCheckSerializer(serializers.Serializer[RuleResult]):
    """The rule in one check."""

    at = serializers.DateTimeField(source="report.created_at")
    run = serializers.UUIDField(source="report.run_id", allow_null=True)
    report = serializers.IntegerField(source="report_id")
    state = serializers.SerializerMethodField(help_text="pass, or the severity where it was broken.")
    checked = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Rows that broke it.")
    measured = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)

    def get_state(self, result: RuleResult) -> str:
        return state_of(result)


class CheckedRuleSerializer(serializers.Serializer[Any]):
    """A rule with its newest result and those before it."""

    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=[severity.value for severity in Severity])
    state = serializers.CharField(help_text="In the newest check: pass, or the severity where it was broken.")
    checked = serializers.IntegerField()
    failed = serializers.IntegerField()
    message = serializers.CharField(allow_null=True, help_text="Null for readers who may not see the values.")
    sample = serializers.ListField(
        child=serializers.JSONField(), allow_null=True, help_text="Some of the rows that broke it; null where hidden."
    )
    kept = serializers.IntegerField(help_text="In how many of the checks it was kept.")
    checks = RuleCheckSerializer(many=True, help_text=f"The last {PLACES}, newest first.")


class FeatureQualitySerializer(serializers.Serializer[Any]):
    """How good the values of one feature are, and were."""

    feature = serializers.CharField(help_text="As group:name.")
    feature_id = serializers.CharField()
    as_of = serializers.DateTimeField()
    measured_at = serializers.DateTimeField(allow_null=True, help_text="When the measures were computed.")
    measures = MeasureSerializer(many=True)
    checked_at = serializers.DateTimeField(allow_null=True, help_text="When its rules were checked last.")
    run = serializers.UUIDField(allow_null=True, help_text="The run of that check.")
    rules = CheckedRuleSerializer(many=True, help_text="Those of the newest check, the broken ones first.")


class FeatureQualityViewSet(GenericViewSet[FeatureVersion]):
    required_capability = Capability.SEE_METADATA
    filter_backends = ()
    pagination_class = None
    queryset = FeatureVersion.objects.none()

    @extend_schema(
        operation_id="get_feature_quality",
        summary="The measures of a feature, and its rules with their last thirty results",
        parameters=[
            OpenApiParameter(
                "ref", str, OpenApiParameter.PATH, description="Feature reference `[group:]name[@version]`."
            )
        ],
        responses=FeatureQualitySerializer,
    )
    def retrieve(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, ())
        found = resolve_references([ref], user=request.user)[0].version
        version = FeatureVersion.objects.select_related("latest_profile", "feature__group", "feature__entity").get(
            pk=found.pk
        )
        history = history_of(version)
        told = {
            "feature": f"{version.feature.group.name}:{version.feature.name}",
            "feature_id": version.public_id,
            "as_of": now(),
            "measured_at": None if version.latest_profile is None else version.latest_profile.computed_at,
            "measures": _measures(version),
            "checked_at": history[0].report.created_at if history else None,
            "run": history[0].report.run_id if history else None,
            "rules": _rules(version, history, request),
        }
        return Response(FeatureQualitySerializer(told).data)


def _measures(version: FeatureVersion) -> list[dict[str, Any]]:
    profile, limits = version.latest_profile, thresholds()
    if profile is None:
        return []
    measures = []
    for name, limit in limits.items():
        share: float | None = getattr(profile, name)
        short = share is not None and limit is not None and share < limit
        measures.append({"name": name, "share": share, "threshold": limit, "falls_short": short})
    return measures


def _rules(version: FeatureVersion, history: list[RuleResult], request: Request) -> list[dict[str, Any]]:
    rules = by_rule_of(history)
    is_closed = version.feature_id in closed_features(user=request.user, features=[version.feature])
    broken = [newest.pk for newest, _ in rules if newest.failed]
    shown = {} if is_closed or not broken else stored_samples_of(broken, version=version, token=token_of(request))
    return [
        {
            "rule": newest.rule,
            "severity": newest.severity,
            "state": state_of(newest),
            "checked": newest.checked,
            "failed": newest.failed,
            "message": None if is_closed else newest.message,
            "sample": None if is_closed else shown.get(newest.pk, []),
            "kept": sum(one.passed for one in results),
            "checks": results,
        }
        for newest, results in rules
    ]
