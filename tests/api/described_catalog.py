"""A small catalog with statistics, tags, lineage, runs and reports, made straight in the models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from catalog.models import FeatureGroup, FeatureProfile, FeatureVersion, LineageEdge, LineageNode, Tag
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


def tag(version: FeatureVersion, *names: str) -> None:
    version.feature.tags.set([Tag.objects.get_or_create(name=name)[0] for name in names])


def profile(version: FeatureVersion, **fields: Any) -> FeatureProfile:
    """Statistics of the version, its latest."""
    values: dict[str, Any] = {
        "computed_at": AT,
        "row_count": 10_000,
        "null_count": 0,
        "distinct_count": 6_382,
        "min_value": 0.0,
        "max_value": 250898.09,
        "mean_value": 76485.889,
        "std_dev": 62397.405,
        "quantiles": {"0.5": 97198.54},
        "histogram": {"edges": [0.0, 125449.045, 250898.09], "counts": [6000, 4000]},
        "top_values": [{"value": 0.0, "count": 3617}],
        "completeness": 1.0,
        "validity": 0.99,
        "consistency": 1.0,
        "newest_event": AT,
    }
    made = FeatureProfile.objects.create(version=version, **(values | fields))
    version.latest_profile = made
    version.save()
    return made


def lineage(version: FeatureVersion) -> None:
    """raw column → source column → feature."""
    name = version.feature.name
    raw = LineageNode.objects.create(kind="raw_column", name=f"bank.{name}")
    source = LineageNode.objects.create(kind="source_column", name=f"facts.{name}")
    feature = LineageNode.objects.create(kind="feature", name=version.public_id, feature=version.feature)
    LineageEdge.objects.create(source=raw, target=source, transformation="mean")
    LineageEdge.objects.create(source=source, target=feature, transformation="as it is")


def run(
    group: FeatureGroup, state: str = RunState.SUCCEEDED, kind: str = RunKind.INGEST, **fields: Any
) -> IngestionRun:
    finished = None if state in (RunState.QUEUED, RunState.RUNNING) else AT
    values = {"created_at": AT, "started_at": finished, "finished_at": finished} | fields
    return IngestionRun.objects.create(group=group, state=state, kind=kind, **values)


def report(of: IngestionRun, version: FeatureVersion, *, passed: bool = True) -> ValidationReport:
    made = ValidationReport.objects.create(
        group=of.group,
        run=of,
        created_at=AT,
        passed=passed,
        row_count=10_000,
        completeness=1.0,
        validity=0.9643,
        consistency=1.0,
        thresholds={"completeness_min": 0.95},
        shortfalls=[] if passed else [{"feature": version.feature.name, "rule": "max_value", "message": "too high"}],
    )
    RuleResult.objects.create(
        report=made,
        version=version,
        rule="max_value",
        severity="warn",
        passed=False,
        checked=10_000,
        failed=357,
        message="357 of 10000 are above 10",
        sample=[{"entity_key": "15634602", "value": 12.5}],
    )
    return made
