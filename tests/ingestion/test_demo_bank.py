"""The demo bank: past days that the store itself lives through, and nothing that a configuration would lose."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from catalog.clock import living_at, machine_time, now
from catalog.models import AuditEvent, Feature, FeatureGroup, FeatureService, FeatureVersion, Status
from catalog.registration import plan_changes
from featurestore_site.configuration import Configuration
from ingestion.applying import apply_configuration, configured, plan_configuration
from ingestion.demo_bank import Replay, archive_demo_bank, replay_demo_bank, replay_to_do
from ingestion.demo_bank.declarations import STAGES, declared_on
from ingestion.models import IngestionRun, RunState
from serving.models import FeatureUsage, MaterializedTable

pytestmark = pytest.mark.django_db

END = datetime(2026, 3, 1, 5, tzinfo=UTC)
DEMO_GROUPS = {
    "branch_activity",
    "branch_profile",
    "customer_contact",
    "customer_service_desk",
    "customer_transactions",
    "merchant_risk",
    "merchant_settlements",
}


@pytest.fixture
def folder(configuration: Configuration, tmp_path: Path) -> Path:
    """Where the demo is; the configuration reads its warehouse."""
    place = tmp_path / "demo"
    warehouse = place / "datawarehouse" / "customer_data_warehouse.db"
    sources = configuration.input_sources.model_copy(
        update={"step6_datawarehouse": warehouse, "step6_reports": place / "reports"}
    )
    settings.FEATURESTORE = dataclasses.replace(configuration, input_sources=sources, warnings=())
    return place


def lived(folder: Path, *, days: int = 2, customers: int = 40) -> Replay:
    replay = Replay(folder=folder, end=END, days=days, customers=customers)
    with living_at(replay.begin):
        apply_configuration(configured())
    replay_demo_bank(replay)
    return replay


def rows_in_history() -> dict[str, int]:
    return dict(MaterializedTable.objects.values_list("group__name", "history_rows"))


def test_the_clock_lives_at_another_time_and_goes_on_from_there() -> None:
    with living_at(END):
        first, second = now(), now()
        assert END <= first < second < END + timedelta(seconds=5)
        assert machine_time() > END + timedelta(days=1)
    assert abs(now() - machine_time()) < timedelta(seconds=5)


def test_every_stage_is_a_catalog_that_grows() -> None:
    names = [
        {feature.name for group in declared_on(day=stage).groups.values() for feature in group.features}
        for stage in STAGES
    ]
    assert set(declared_on(day=STAGES[0]).groups) == DEMO_GROUPS
    assert names[0] < names[1] <= names[2]
    assert len(declared_on(day=STAGES[-1]).services) == 4


def test_days_are_lived_through_by_real_runs_of_their_time(folder: Path) -> None:
    told: list[int] = []
    replay = Replay(folder=folder, end=END, days=2, customers=40)
    with living_at(replay.begin):
        apply_configuration(configured())

    replay_demo_bank(replay, progress=told.append)

    assert told == [1, 2]
    runs = IngestionRun.objects.filter(group__name="customer_financial").order_by("created_at")
    assert [run.created_at.date().isoformat() for run in runs] == ["2026-02-28", "2026-03-01"]
    assert {run.state for run in runs} == {RunState.SUCCEEDED}
    assert all(run.rows_appended > 0 for run in runs)
    assert runs[1].rows_unchanged == runs[0].rows_appended
    assert runs[0].finished_at is not None
    assert runs[0].started_at is not None
    assert timedelta(0) < runs[0].finished_at - runs[0].started_at < timedelta(minutes=1)
    assert set(rows_in_history()) >= {"customer_financial", *DEMO_GROUPS} - {"merchant_settlements"}


def test_what_is_made_on_a_past_day_is_of_that_day(folder: Path) -> None:
    replay = lived(folder)

    assert {feature.created_at.date() for feature in Feature.objects.all()} == {replay.begin.date()}
    assert {version.created_at.date() for version in FeatureVersion.objects.all()} == {replay.begin.date()}
    assert {event.at.date() for event in AuditEvent.objects.all()} <= {replay.begin.date(), END.date()}
    assert set(FeatureUsage.objects.values_list("day", flat=True)) == {replay.begin.date(), END.date()}
    assert set(FeatureUsage.objects.values_list("caller", flat=True)) == {
        "branch-dashboard",
        "churn-scorer",
        "fraud-screening",
    }


def test_nobody_can_sign_in_as_a_person_of_the_demo(folder: Path) -> None:
    lived(folder)
    assert User.objects.count() == 6
    assert not any(user.has_usable_password() or user.api_tokens.exists() for user in User.objects.all())


def test_the_configuration_is_applied_as_it_is_and_leaves_the_demo_alone(folder: Path) -> None:
    lived(folder)

    assert not plan_configuration(configured())
    assert not plan_changes(configured().catalog, policy=configured().policy)
    assert set(FeatureGroup.objects.filter(declared=False).values_list("name", flat=True)) == DEMO_GROUPS
    assert set(FeatureService.objects.filter(declared=False).values_list("name", flat=True)) == {
        "branch_planning",
        "fraud_screening",
    }


def test_what_was_cut_short_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    replay = Replay(folder=folder, end=END, days=3, customers=40)
    with living_at(replay.begin):
        apply_configuration(configured())

    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay_demo_bank(replay, progress=stop)
    left = replay_to_do(folder=folder)
    assert left == dataclasses.replace(replay, done=2)
    runs, rows = IngestionRun.objects.count(), rows_in_history()

    replay_demo_bank(left)

    assert replay_to_do(folder=folder) is None
    later = IngestionRun.objects.order_by("-created_at")[: IngestionRun.objects.count() - runs]
    assert {run.created_at.date() for run in later} == {END.date()}
    assert all(rows_in_history()[name] >= count for name, count in rows.items())


def test_a_store_that_has_a_warehouse_or_a_run_is_not_lived_through(folder: Path) -> None:
    assert replay_to_do(folder=folder) is not None
    (folder / "datawarehouse").mkdir(parents=True)
    (folder / "datawarehouse" / "customer_data_warehouse.db").touch()
    assert replay_to_do(folder=folder) is None


def test_leaving_the_demo_archives_what_it_brought_and_nothing_else(folder: Path) -> None:
    lived(folder)

    assert set(archive_demo_bank()) == DEMO_GROUPS

    assert set(FeatureGroup.objects.ingested().values_list("name", flat=True)) == {
        "customer_demographics",
        "customer_derived",
        "customer_financial",
    }
    assert set(FeatureService.objects.values_list("name", flat=True)) == {"churn_model", "customer_overview"}
    assert FeatureGroup.objects.get(name="merchant_risk").status == Status.ARCHIVED
    assert archive_demo_bank() == []
