"""A catalog as the pages meet it: profiles, runs, rule results, rows kept out, lineage."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client

from catalog.clock import now
from catalog.models import (
    FeatureGroup,
    FeatureProfile,
    FeatureVersion,
    LineageEdge,
    LineageNode,
    NodeKind,
    Tag,
)
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult, RunState, ValidationReport
from serving.models import FeatureUsage, MaterializedTable
from tests import stocked_store as store

HOSTILE = "<script>alert('x')</script>\"&"


def signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def add_profile(version: FeatureVersion, **fields: object) -> FeatureProfile:
    """A profile of 1,000 entities between 0.5 and 90.25, of which 10 have no value."""
    given = {
        "computed_at": now(),
        "row_count": 1000,
        "null_count": 10,
        "distinct_count": 700,
        "min_value": 0.5,
        "max_value": 90.25,
        "mean_value": 42.125,
        "std_dev": 7.5,
        "quantiles": {"0.25": 30.5, "0.5": 41.5, "0.75": 55.5},
        "histogram": {"edges": [0, 30, 60, 90.25], "counts": [240, 500, 250]},
        "completeness": 0.99,
        "validity": 0.8,
        "consistency": 1.0,
        "newest_event": now() - timedelta(hours=3),
    }
    profile = FeatureProfile.objects.create(version=version, **{**given, **fields})
    FeatureVersion.objects.filter(pk=version.pk).update(latest_profile=profile)
    return profile


def add_run(group: FeatureGroup, state: RunState = RunState.SUCCEEDED, **fields: object) -> IngestionRun:
    started = now() - timedelta(minutes=5)
    ended = started + timedelta(seconds=65) if state not in (RunState.QUEUED, RunState.RUNNING) else None
    given = {"created_at": started, "started_at": started, "finished_at": ended, "rows_read": 1234567}
    return IngestionRun.objects.create(group=group, state=state, **{**given, **fields})


def fill(name: str = "finance", *, features: int = 3) -> FeatureGroup:
    """A group with so many features, each with profile, tag, lineage, service, usage and rule result."""
    group = store.make_group(name, owner="risk team", description="Money of customers")
    run = add_run(group)
    report = ValidationReport.objects.create(
        group=group,
        run=run,
        created_at=now(),
        passed=False,
        row_count=1000,
        completeness=0.99,
        validity=0.8,
        consistency=1.0,
        shortfalls=[{"feature": f"{name}_f0", "rule": "validity", "message": "validity 80% is below 90%"}],
    )
    table = LineageNode.objects.create(kind=NodeKind.SOURCE_TABLE, name=name)
    tag = Tag.objects.get_or_create(name="money")[0]
    versions = []
    for number in range(features):
        version = store.make_feature(group, f"{name}_f{number}", source_column=f"column_{number}")
        version.feature.tags.add(tag)
        add_profile(version)
        node = LineageNode.objects.create(
            kind=NodeKind.FEATURE, name=f"customer_{name}_f{number}_v1", feature=version.feature
        )
        LineageEdge.objects.create(source=table, target=node, transformation="copied")
        RuleResult.objects.create(
            report=report,
            version=version,
            rule="max_value",
            severity="warn",
            passed=False,
            checked=1000,
            failed=200,
            message="above 80 (up to 90.25): 200 of 1000 rows",
            sample=[{"entity_key": "c-7", "value": 88.8}],
        )
        FeatureUsage.objects.create(day=now().date(), feature=version.feature, caller="model", online_reads=7)
        versions.append(version)
    store.make_service(f"{name}_model", *versions)
    QuarantinedRow.objects.create(
        group=group,
        row_hash=name,
        entity_key="c-9",
        row={"column_0": "secret-177"},
        reasons=[{"rule": "type", "feature": f"{name}_f0", "message": "secret-177 is no number"}],
        first_run=run,
        last_run=run,
        first_seen=now(),
        last_seen=now(),
    )
    MaterializedTable.objects.create(
        group=group, table_version=4, online_rows=1000, history_rows=52000, history_bytes=2048, updated_at=now()
    )
    return group
