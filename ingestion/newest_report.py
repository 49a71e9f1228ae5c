"""The newest validation report of a group, read once for the parts of its page that tell of it."""

from __future__ import annotations

from catalog.group_features import features_of
from catalog.models import FeatureGroup
from ingestion.models import RuleResult, ValidationReport


def newest_report_of(group: FeatureGroup) -> ValidationReport | None:
    """The newest report of ``group``; None where it was never checked. One query, kept on the group object, which
    lives as long as one request."""
    known: tuple[ValidationReport | None] | None = getattr(group, "_newest_report", None)
    if known is None:
        known = (ValidationReport.objects.filter(group=group).first(),)
        group._newest_report = known  # type: ignore[attr-defined]  # a cache on the request's own object
    return known[0]


def newest_results_of(group: FeatureGroup) -> list[RuleResult]:
    """The results of that report with their samples, kept likewise; their features are those that the group object
    holds."""
    known: list[RuleResult] | None = getattr(group, "_newest_results", None)
    if known is None:
        report = newest_report_of(group)
        known = [] if report is None else _results_of(report, group)
        group._newest_results = known  # type: ignore[attr-defined]  # a cache on the request's own object
    return known


def _results_of(report: ValidationReport, group: FeatureGroup) -> list[RuleResult]:
    features = {feature.pk: feature for feature in features_of(group)}
    results = list(report.results.select_related("version__feature__group", "version__feature__entity"))
    for one in results:
        if one.version is not None and one.version.feature_id in features:
            one.version.feature = features[one.version.feature_id]
    return results
