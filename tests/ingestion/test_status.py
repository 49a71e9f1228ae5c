from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from catalog.clock import now
from catalog.models import Feature, FeatureGroup, FeatureVersion, Status
from featurestore_site.configuration import Configuration
from ingestion.applying import apply_configuration, configured
from ingestion.health import CheckState, recent_health, store_health
from ingestion.models import GroupLease, IngestionRun, RunState, Source, ValidationReport
from ingestion.problems import ProblemLevel
from ingestion.status import store_status
from serving.models import FeatureUsage, MaterializedTable

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(configuration: Configuration, tmp_path: Path) -> FeatureGroup:
    """The store of the configuration, applied, every group ingested; one of its groups."""
    warehouse = tmp_path / "warehouse.db"
    warehouse.touch()
    sources = configuration.input_sources.model_copy(update={"step6_datawarehouse": warehouse})
    settings.FEATURESTORE = dataclasses.replace(configuration, input_sources=sources, warnings=())
    apply_configuration(configured())
    for group in FeatureGroup.objects.all():
        MaterializedTable.objects.create(
            group=group,
            table_version=3,
            online_rows=10,
            history_rows=40,
            history_bytes=1000,
            newest_event=now() - timedelta(hours=5),
            updated_at=now(),
        )
    return FeatureGroup.objects.get(name="customer_financial")


def make_run(group: FeatureGroup, state: RunState, *, ago: timedelta = timedelta(0), **fields: Any) -> IngestionRun:
    at = now() - ago
    ended = None if state in (RunState.QUEUED, RunState.RUNNING) else at
    return IngestionRun.objects.create(group=group, state=state, created_at=at, finished_at=ended, **fields)


def problems() -> list[tuple[ProblemLevel, str, str]]:
    return [(problem.level, problem.code, problem.subject) for problem in store_status().problems]


def test_a_store_without_problems_is_healthy(store: FeatureGroup) -> None:
    status = store_status()
    assert status.problems == ()
    assert status.healthy
    assert status.totals is not None
    assert (status.totals.groups, status.totals.rows_online, status.totals.rows_history) == (3, 30, 120)
    assert (status.totals.offline_bytes, status.totals.database) == (3000, settings.FEATURESTORE.database.kind)
    assert [group.name for group in status.groups] == [
        "customer_demographics",
        "customer_derived",
        "customer_financial",
    ]
    assert (status.groups[0].rows_online, status.groups[0].table_version, status.groups[0].is_late) == (10, 3, False)


def test_a_missing_column_is_a_warning_and_keeps_it_healthy(store: FeatureGroup) -> None:
    FeatureVersion.objects.filter(feature__name="balance_sum").update(source_problem="there is no column balance_sum")
    status = store_status()
    (problem,) = status.problems
    assert (problem.level, problem.code, problem.subject) == (
        ProblemLevel.WARNING,
        "no_values",
        "customer_financial:balance_sum",
    )
    assert "there is no column balance_sum" in problem.message
    assert status.healthy
    assert {group.name: group.without_values for group in status.groups}["customer_financial"] == 1


def test_a_failed_last_run_is_an_error_until_one_succeeds(store: FeatureGroup) -> None:
    make_run(store, RunState.FAILED, error="no such table", ago=timedelta(hours=1))
    assert problems() == [(ProblemLevel.ERROR, "run_failed", "customer_financial")]
    make_run(store, RunState.SUCCEEDED)
    assert problems() == []


def test_a_broken_promise_of_freshness_is_an_error(store: FeatureGroup) -> None:
    FeatureGroup.objects.filter(pk=store.pk).update(freshness=timedelta(hours=4))
    found = problems()
    assert (ProblemLevel.ERROR, "late", "customer_financial") in found
    # The configuration promises nothing, so the catalog is not what it says.
    assert (ProblemLevel.WARNING, "not_applied", "") in found


def test_a_run_that_nobody_works_on_is_an_error(store: FeatureGroup) -> None:
    run = make_run(store, RunState.RUNNING, ago=timedelta(minutes=10))
    lease = GroupLease.objects.create(group=store, holder=run.pk, expires_at=now() + timedelta(minutes=1))
    assert problems() == []
    GroupLease.objects.filter(pk=lease.pk).update(expires_at=now() - timedelta(minutes=1))
    assert problems() == [(ProblemLevel.ERROR, "run_stuck", "customer_financial")]


def test_a_source_that_is_not_there_is_an_error(store: FeatureGroup) -> None:
    Path(Source.objects.get().location).unlink()
    assert problems() == [(ProblemLevel.ERROR, "source_missing", "warehouse")]


def test_the_newest_validation_that_fell_short_is_a_warning(store: FeatureGroup) -> None:
    shortfalls = [{"feature": "balance_sum", "rule": "completeness", "message": "completeness 0.1 is below 0.95"}]
    for passed, ago in ((True, 3), (False, 1)):
        ValidationReport.objects.create(
            group=store,
            created_at=now() - timedelta(hours=ago),
            passed=passed,
            row_count=1,
            shortfalls=[] if passed else shortfalls,
        )
    assert problems() == [(ProblemLevel.WARNING, "quality", "customer_financial")]
    ValidationReport.objects.create(group=store, created_at=now(), passed=True, row_count=1)
    assert problems() == []


def test_a_deprecated_feature_that_is_used_names_its_users(store: FeatureGroup) -> None:
    feature = Feature.objects.get(name="balance_mean")
    Feature.objects.filter(pk=feature.pk).update(status=Status.DEPRECATED, status_reason="use another")
    usage = {"feature": feature, "caller": "batch-job", "online_reads": 4, "historical_reads": 1}
    FeatureUsage.objects.create(day=now().date(), **usage)
    FeatureUsage.objects.create(day=now().date() - timedelta(days=90), **{**usage, "caller": "long-ago"})
    (problem,) = store_status().problems
    assert problem.code == "deprecated_in_use"
    assert "batch-job (5 reads in 30 days), the service churn_model" in problem.message
    assert "long-ago" not in problem.message


def test_a_store_that_was_never_filled_says_what_to_do(configuration: Configuration) -> None:
    settings.FEATURESTORE = dataclasses.replace(configuration, warnings=("a key has no effect",))
    assert problems() == [(ProblemLevel.WARNING, "configuration", ""), (ProblemLevel.WARNING, "not_applied", "")]


def test_missing_migrations_are_the_one_problem(store: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.status.unapplied_migrations", lambda: ["catalog.0009_next"])
    status = store_status()
    assert (status.totals, status.groups, status.healthy) == (None, (), False)
    assert "catalog.0009_next" in status.problems[0].message


def test_queries_do_not_grow_with_the_groups(store: FeatureGroup) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            store_status()
        return len(captured)

    make_run(store, RunState.FAILED)
    before = queries()
    for number in range(20):
        group = FeatureGroup.objects.create(
            name=f"g{number}", entity=store.entity, source="warehouse", source_table="t", declared=False
        )
        make_run(group, RunState.FAILED)
    assert len(store_status().groups) == 23
    assert queries() == before


def run_command(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("status", *arguments, stdout=out)
    except SystemExit as exit_:
        return out.getvalue(), int(exit_.code or 0)
    return out.getvalue(), 0


def test_the_command_prints_and_exits_with_the_verdict(store: FeatureGroup) -> None:
    text, code = run_command()
    assert code == 0
    assert "catalog   3 groups, 13 features, 13 versions, 2 services" in text
    assert "The store is healthy: 0 errors, 0 warnings." in text
    make_run(store, RunState.FAILED, error="no such table")
    text, code = run_command()
    assert code == 1
    assert "error    customer_financial: its last ingestion failed: no such table" in text
    assert "The store is not healthy: 1 error, 0 warnings." in text


def test_the_command_prints_json(store: FeatureGroup) -> None:
    text, code = run_command("--json")
    told = json.loads(text)
    assert (code, told["healthy"], told["store"]["rows_online"], len(told["groups"])) == (0, True, 30, 3)
    assert told["groups"][0]["freshness"] is None


def test_health_asks_every_part(configuration: Configuration) -> None:
    health = store_health()
    assert health.healthy
    assert {name: check.state for name, check in health.checks.items()} == {
        "database": CheckState.PASS,
        "offline_store": CheckState.PASS,
        "broker": CheckState.PASS,
        "scheduler": CheckState.WARN,
        "warehouse": CheckState.PASS,
    }


def test_a_silent_scheduler_is_told(store: FeatureGroup) -> None:
    PeriodicTask.objects.filter(name="resume runs").update(last_run_at=now())
    assert store_health().checks["scheduler"].state is CheckState.PASS
    PeriodicTask.objects.filter(name="resume runs").update(last_run_at=now() - timedelta(minutes=9))
    check = store_health().checks["scheduler"]
    assert (check.state, check.message) == (CheckState.WARN, "the scheduler was last heard of 9 minutes ago")


def test_health_checks_can_be_off(configuration: Configuration) -> None:
    checks = configuration.monitoring.health_checks.model_copy(update={"enabled": False})
    monitoring = configuration.monitoring.model_copy(update={"health_checks": checks})
    settings.FEATURESTORE = dataclasses.replace(configuration, monitoring=monitoring)
    assert (recent_health().status, recent_health().checks) == ("healthy", {})
