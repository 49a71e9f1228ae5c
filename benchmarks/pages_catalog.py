"""The store whose pages are measured: 5,000 features of 500 groups, and a month of everything that pages show of them.

Imported by :mod:`benchmarks.pages` once the product's settings are in force.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Model

from benchmarks.search import store
from benchmarks.search_catalog import KNOWN, made_features
from catalog.clock import now
from catalog.models import (
    Entity,
    Feature,
    FeatureGroup,
    FeatureProfile,
    FeatureService,
    FeatureServiceMember,
    FeatureVersion,
    LineageEdge,
    LineageNode,
    NodeKind,
)
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport
from serving.models import FeatureUsage, MaterializedTable
from serving.models.fields import to_microseconds
from serving.stores.offline import append_history
from serving.stores.online import online_store
from serving.stores.online_batches import OnlineRow, in_batches

WIDE_GROUP, WIDE = "customer_wide", 200
SERVICE, MEMBERS = "service_000", 100
KEY = "17"
_SERVICES, _MORE_GROUPS, _HISTORIES, _KEYS = 50, 19, 20, 500
_BATCH = 5_000


def fill(*, features: int, days: int) -> None:
    """Store so many features in 500 groups, one of them with 200, and what ``days`` of use leave behind."""
    store([*KNOWN, *made_features(features - len(KNOWN) - WIDE - _MORE_GROUPS)])
    with transaction.atomic():
        _more_groups()
        groups = list(FeatureGroup.objects.order_by("pk"))
        versions = list(FeatureVersion.objects.select_related("feature__group", "feature__entity").order_by("pk"))
        _profiles(versions, days=days)
        _runs(groups, versions, days=days)
        _lineage(versions)
        _usage(versions, days=days)
        now_materialized = [
            MaterializedTable(
                group=group, table_version=days, online_rows=_KEYS, history_rows=_KEYS * days,
                history_bytes=10**6, newest_event=now() - timedelta(hours=3), updated_at=now(),
            )
            for group in groups
        ]  # fmt: skip
        _save(now_materialized)
    _values(versions)


def _more_groups() -> None:
    customer = Entity.objects.get(name="customer")
    for name, count in [(WIDE_GROUP, WIDE), *((f"customer_more_{number}", 1) for number in range(_MORE_GROUPS))]:
        group = FeatureGroup.objects.create(
            name=name, entity=customer, source="warehouse", source_table=name, owner="risk team",
            freshness=timedelta(days=1),
        )  # fmt: skip
        for number in range(count):
            feature = Feature.objects.create(
                group=group, entity=customer, name=f"{name}_{number:03}", description=f"Figure {number} of {name}."
            )
            version = FeatureVersion.objects.create(feature=feature, major=1, minor=0, data_type="float")
            Feature.objects.filter(pk=feature.pk).update(default_version=version)


def _days(days: int) -> list[datetime]:
    return [now() - timedelta(days=days - 1 - number, hours=2) for number in range(days)]


def _profiles(versions: list[FeatureVersion], *, days: int) -> None:
    FeatureVersion.objects.update(latest_profile=None)
    FeatureProfile.objects.all().delete()
    draw = random.Random(3)
    for at in _days(days):
        _save(
            FeatureProfile(
                version=version, computed_at=at, row_count=_KEYS, null_count=draw.randrange(20), distinct_count=400,
                min_value=0.5, max_value=90.25, mean_value=42 + draw.random(), std_dev=7.5,
                quantiles={"0.05": 3, "0.25": 30.5, "0.5": 41.5, "0.75": 55.5, "0.95": 80},
                histogram={"edges": list(range(0, 105, 5)), "counts": [draw.randrange(90) for _ in range(20)]},
                completeness=0.99, validity=0.98, consistency=1.0, newest_event=at,
            )
            for version in versions
        )  # fmt: skip
    newest = {one.version_id: one.pk for one in FeatureProfile.objects.order_by("computed_at").only("version_id")}
    for version in versions:
        version.latest_profile_id = newest[version.pk]
    FeatureVersion.objects.bulk_update(versions, ["latest_profile"], batch_size=1_000)


def _runs(groups: list[FeatureGroup], versions: list[FeatureVersion], *, days: int) -> None:
    of_group: dict[int, list[FeatureVersion]] = {}
    for version in versions:
        of_group.setdefault(version.feature.group_id, []).append(version)
    for at in _days(days):
        runs = [
            IngestionRun(
                group=group, kind=RunKind.INGEST,
                state=RunState.FAILED if number % 97 == at.day else RunState.SUCCEEDED,
                trigger="schedule", requested_by="scheduler", created_at=at, started_at=at,
                finished_at=at + timedelta(seconds=20 + number % 40), rows_read=_KEYS, rows_appended=90,
                table_version=1,
            )
            for number, group in enumerate(groups)
        ]  # fmt: skip
        _save(runs)
        reports = [
            ValidationReport(
                group=run.group, run=run, created_at=run.finished_at, passed=run.state == RunState.SUCCEEDED,
                row_count=_KEYS, completeness=0.99, validity=0.98, consistency=1.0,
            )
            for run in runs
        ]  # fmt: skip
        _save(reports)
        reports = list(ValidationReport.objects.filter(run__in=[run.pk for run in runs]).only("pk", "group_id"))
        _save(
            RuleResult(
                report=report, version=version, rule=rule, severity="warn", passed=number % 40 != 0, checked=_KEYS,
                failed=0 if number % 40 else 9, message="" if number % 40 else "above 80 (up to 90.25): 9 of 500 rows",
                measured=0.02, threshold=0.2, ratio=0.1,
            )
            for report in reports
            for number, version in enumerate(of_group.get(report.group_id, ()))
            for rule in ("drift", "max_value")
        )  # fmt: skip


def _lineage(versions: list[FeatureVersion]) -> None:
    features = [version.feature for version in versions]
    tables = sorted({feature.group.name for feature in features})
    _save(LineageNode(kind=NodeKind.SOURCE_TABLE, name=table) for table in tables)
    _save(
        LineageNode(kind=NodeKind.SOURCE_COLUMN, name=f"{one.group.name}.{one.entity.name}_{one.name}")
        for one in features
    )
    _save(LineageNode(kind=NodeKind.FEATURE, name=f"{one.entity.name}_{one.name}_v1", feature=one) for one in features)
    services = [FeatureService(name=f"service_{number:03}", owner="risk team") for number in range(_SERVICES)]
    _save(services)
    services = list(FeatureService.objects.order_by("name"))
    _save(LineageNode(kind=NodeKind.SERVICE, name=service.name) for service in services)
    nodes = {(node.kind, node.name): node.pk for node in LineageNode.objects.all()}
    edges = []
    for one in features:
        column = nodes[NodeKind.SOURCE_COLUMN, f"{one.group.name}.{one.entity.name}_{one.name}"]
        feature = nodes[NodeKind.FEATURE, f"{one.entity.name}_{one.name}_v1"]
        edges.append(LineageEdge(source_id=nodes[NodeKind.SOURCE_TABLE, one.group.name], target_id=column))
        edges.append(LineageEdge(source_id=column, target_id=feature, transformation="copied"))
    draw = random.Random(5)
    wide = [one for one in versions if one.feature.group.name == WIDE_GROUP]
    others = [one for one in versions if one.feature.group.name != WIDE_GROUP]
    members = []
    for number, service in enumerate(services):
        chosen = [wide[number], *draw.sample(others, MEMBERS - 1 if number == 0 else 19)]
        for position, version in enumerate(chosen):
            members.append(
                FeatureServiceMember(
                    service=service, version=version, feature=version.feature, major=1, position=position
                )
            )
            name = f"{version.feature.entity.name}_{version.feature.name}_v1"
            edges.append(
                LineageEdge(source_id=nodes[NodeKind.FEATURE, name], target_id=nodes[NodeKind.SERVICE, service.name])
            )
    _save(members)
    _save(edges)


def _usage(versions: list[FeatureVersion], *, days: int) -> None:
    draw = random.Random(9)
    read = draw.sample(versions, len(versions) // 4)
    for at in _days(days):
        _save(
            FeatureUsage(
                day=at.date(), feature=version.feature, caller=caller, online_reads=draw.randrange(1, 500),
                historical_reads=draw.randrange(3), entities=100,
            )
            for version in read
            for caller in ("churn model", "fraud model")
        )  # fmt: skip


def _values(versions: list[FeatureVersion]) -> None:
    """Values of the customers in both stores, for the first groups by name and the wide one."""
    of_group: dict[str, list[FeatureVersion]] = {}
    for version in versions:
        if version.feature.entity.name == "customer":
            of_group.setdefault(version.feature.group.name, []).append(version)
    for name in [*sorted(of_group)[:_HISTORIES], WIDE_GROUP]:
        group = FeatureGroup.objects.get(name=name)
        keys = [str(number) for number in range(_KEYS)]
        for epoch, at in enumerate(_days(5), start=1):
            rows = pa.table(
                {
                    "entity_key": pa.array(keys),
                    "event_timestamp": pa.array([at] * _KEYS, pa.timestamp("us", "UTC")),
                    "created_timestamp": pa.array([at] * _KEYS, pa.timestamp("us", "UTC")),
                    "run_id": pa.repeat("benchmark", _KEYS),
                    "arrival": pa.array(np.arange(_KEYS, dtype=np.int64) + (epoch << 32)),
                    **{one.value_column: _column(one.data_type, epoch) for one in of_group[name]},
                }
            )
            append_history(group=group, rows=rows, run_id=f"{name}-{epoch}", epoch=epoch)
        newest = rows.to_pylist()[int(KEY)]
        row = OnlineRow(
            entity_key=KEY, values={one.value_column: _json(newest[one.value_column]) for one in of_group[name]},
            event_us=to_microseconds(at), created_us=to_microseconds(at), arrival=1, run_id="benchmark",
        )  # fmt: skip
        online_store().upsert(group.pk, in_batches([row]))


def _column(data_type: str, epoch: int) -> pa.Array:
    if data_type == "float":
        return pa.array(np.linspace(0, 90, _KEYS) + epoch)
    if data_type == "integer":
        return pa.array(np.arange(_KEYS) + epoch)
    if data_type == "boolean":
        return pa.array([number % 2 == 0 for number in range(_KEYS)])
    if data_type == "timestamp":
        return pa.array([datetime(2025, 1, 1, tzinfo=UTC)] * _KEYS, pa.timestamp("us", "UTC"))
    return pa.repeat("text", _KEYS)


def _json(value: Any) -> Any:
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else value


def _save(rows: Iterable[Model]) -> None:
    for batch in _batched(rows):
        type(batch[0])._default_manager.bulk_create(batch)


def _batched(rows: Iterable[Model]) -> Iterator[list[Model]]:
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, _BATCH)):
        yield batch
