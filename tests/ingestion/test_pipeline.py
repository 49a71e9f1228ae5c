"""What an ingestion carries into both stores, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.conf import settings

from catalog import clock
from catalog.models import FeatureGroup, FeatureVersion
from featurestore_site.configuration import load_configuration
from ingestion.applying import apply_configuration, configured
from ingestion.models import QuarantinedRow, RunState, Source, ValidationReport
from serving.models import FeatureValue, MaterializedTable
from serving.stores.offline import open_history
from tests.small_warehouse import (
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Warehouse,
    amounts,
    counts,
    history,
    history_amounts,
    ingest,
    make_accounts,
    make_warehouse,
    online,
)
from tests.stocked_store import make_feature

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return make_warehouse(tmp_path)


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    warehouse.put(("a", 1.0, "Bern", MONDAY), ("b", 2.0, "Genf", MONDAY))
    return make_accounts()


class TestWhatIsNew:
    def test_ingesting_twice_changes_no_row(self, group: FeatureGroup) -> None:
        ingest(group)
        before = list(FeatureValue.objects.order_by("entity_key").values())
        version = MaterializedTable.objects.get(group=group).table_version

        again = ingest(group)

        assert counts(again) == {"read": 2, "unchanged": 2}
        assert list(FeatureValue.objects.order_by("entity_key").values()) == before
        assert MaterializedTable.objects.get(group=group).table_version == version == again.table_version

    @pytest.mark.parametrize("at", [TUESDAY, None], ids=["with a new time", "in place"])
    def test_just_the_changed_rows_are_appended_and_updated(
        self, group: FeatureGroup, warehouse: Warehouse, at: str | None
    ) -> None:
        warehouse.put(*((f"c{number}", 3.0, "Chur", MONDAY) for number in range(1_998)))
        assert counts(ingest(group)) == {"read": 2_000, "appended": 2_000, "online": 2_000}
        changed = [f"c{number}" for number in range(500)]
        warehouse.set_amounts(changed, 4.5, at=at)

        run = ingest(group)

        assert counts(run) == {"read": 2_000, "unchanged": 1_500, "appended": 500, "online": 500}
        assert {key for key, amount in amounts(group).items() if amount == 4.5} == set(changed)
        assert FeatureValue.objects.filter(run_id=str(run.pk)).count() == 500
        appended = [row for row in history(group) if row["run_id"] == str(run.pk)]
        assert {row["entity_key"] for row in appended} == set(changed)
        assert len(history(group)) == 2_500

    def test_late_rows_are_kept_and_do_not_overwrite(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.set_amounts(["a"], 5.0, at=WEDNESDAY)
        ingest(group)
        warehouse.put(("a", 3.0, "late", TUESDAY))

        run = ingest(group)

        assert counts(run) == {"read": 3, "unchanged": 2, "appended": 1}
        assert amounts(group) == {"a": 5.0, "b": 2.0}
        assert history_amounts(group) == [
            ("a", "2025-03-04", 3.0),
            ("a", "2025-03-05", 5.0),
            ("b", "2025-03-03", 2.0),
        ]

    def test_a_value_that_is_corrected_there_and_back(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        ingest(group)
        for amount in (7.0, 1.0):
            warehouse.set_amounts(["a"], amount)
            assert counts(ingest(group)) == {"read": 2, "unchanged": 1, "appended": 1, "online": 1}
            assert amounts(group) == {"a": amount, "b": 2.0}

        assert [row["amount_v1"] for row in history(group) if row["entity_key"] == "a"] == [1.0, 7.0, 1.0]
        created = [row["created_timestamp"] for row in history(group) if row["entity_key"] == "a"]
        assert created == sorted(set(created))
        assert counts(ingest(group)) == {"read": 2, "unchanged": 2}

    def test_a_correction_wins_though_the_clock_went_back(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ingest(group)
        behind = clock.now() - timedelta(days=1)
        monkeypatch.setattr("ingestion.pipeline.now", lambda: behind)
        for amount in (7.0, 8.0, 9.0):
            warehouse.set_amounts(["a"], amount)
            ingest(group)

        created = [row["created_timestamp"] for row in history(group)]
        assert created == sorted(created)
        assert amounts(group)["a"] == 9.0

    def test_rows_that_went_from_the_source_stay(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        ingest(group)
        warehouse.execute("DELETE FROM accounts WHERE account = 'a'")

        assert counts(ingest(group)) == {"read": 1, "unchanged": 1}
        assert amounts(group) == {"a": 1.0, "b": 2.0}
        assert len(history(group)) == 2

    def test_of_equal_key_and_time_the_last_counts(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put(("a", 10.0, "Bern", MONDAY), ("a", 11.0, "Bern", MONDAY))

        assert counts(ingest(group)) == {"read": 4, "superseded": 2, "appended": 2, "online": 2}
        assert amounts(group) == {"a": 11.0, "b": 2.0}
        assert counts(ingest(group)) == {"read": 4, "superseded": 2, "unchanged": 2}

    def test_an_empty_source(self, warehouse: Warehouse) -> None:
        group = make_accounts()

        run = ingest(group)

        assert (run.state, run.error, counts(run)) == (RunState.SUCCEEDED, "", {})
        assert open_history(group) is None
        assert run.table_version is None
        warehouse.put(("a", 1.0, "Bern", MONDAY))
        assert counts(ingest(group)) == {"read": 1, "appended": 1, "online": 1}

    def test_a_source_whose_every_row_is_rejected(self, warehouse: Warehouse) -> None:
        group = make_accounts()
        warehouse.put(("a", -1.0, "Bern", MONDAY))

        run = ingest(group)

        assert (run.state, counts(run)) == (RunState.SUCCEEDED, {"read": 1, "rejected": 1})
        assert online(group) == {}

    def test_more_rows_than_one_batch(
        self, group: FeatureGroup, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = settings.FEATURESTORE.ingestion.model_copy(update={"batch_size": 7})
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, ingestion=small))
        warehouse.put(*((f"c{number}", 3.0 if number % 5 else -3.0, "Chur", MONDAY) for number in range(50)))

        run = ingest(group)

        assert counts(run) == {"read": 52, "rejected": 10, "appended": 42, "online": 42}
        assert set(QuarantinedRow.objects.values_list("entity_key", flat=True)) == {f"c{n}" for n in range(0, 50, 5)}

    def test_text_nan_is_missing(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put(("c", "nan", "nan", MONDAY))

        run = ingest(group)

        assert run.rows_rejected == 0
        assert online(group)["c"] == {"amount_v1": None, "town_v1": None}


class TestWhatTheSourceLacks:
    def test_is_reported_while_the_others_go_on(self, group: FeatureGroup) -> None:
        missing = make_feature(group, "points", "integer", source_column="points")

        run = ingest(group)

        assert run.state == RunState.SUCCEEDED
        missing.refresh_from_db()
        assert "points" in missing.source_problem
        assert run.problems == [
            {"code": "no_values", "feature": "points", "rule": None, "message": missing.source_problem}
        ]
        assert online(group)["a"] == {"amount_v1": 1.0, "town_v1": "Bern", "points_v1": None}
        assert counts(ingest(group)) == {"read": 2, "unchanged": 2}

    def test_clears_when_the_column_appears(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        missing = make_feature(group, "points", "integer", source_column="points")
        ingest(group)
        warehouse.execute("ALTER TABLE accounts ADD COLUMN points INTEGER")
        assert counts(ingest(group)) == {"read": 2, "unchanged": 2}
        missing.refresh_from_db()
        assert missing.source_problem == ""
        warehouse.execute("UPDATE accounts SET points = 9007199254740993 WHERE account = 'b'")

        run = ingest(group)

        assert (run.problems, counts(run)) == ([], {"read": 2, "unchanged": 1, "appended": 1, "online": 1})
        assert online(group)["b"] == {"amount_v1": 2.0, "town_v1": "Genf", "points_v1": 2**53 + 1}

    def test_a_feature_that_is_added_later_fills_from_the_whole_source(self, group: FeatureGroup) -> None:
        ingest(group)
        make_feature(group, "shout", "string", expression="upper(town)")

        assert counts(ingest(group)) == {"read": 2, "appended": 2, "online": 2}
        assert online(group)["a"]["shout_v1"] == "BERN"
        assert history(group)[0]["shout_v1"] is None

    def test_a_second_major_is_served_beside_the_first(self, group: FeatureGroup) -> None:
        ingest(group)
        first = FeatureVersion.objects.get(feature__name="amount")
        FeatureVersion.objects.create(
            feature=first.feature, major=2, minor=0, data_type="string", source_column="amount"
        )

        assert counts(ingest(group)) == {"read": 2, "appended": 2, "online": 2}
        assert online(group)["a"] == {"amount_v1": 1.0, "amount_v2": "1", "town_v1": "Bern"}


class TestSeverities:
    def rule(self, group: FeatureGroup, severity: str) -> None:
        rule = {"min_value": 0, "severity": severity}
        FeatureVersion.objects.filter(feature__group=group, feature__name="amount").update(validation=rule)

    def test_warn_keeps_the_row_and_flags_it(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        self.rule(group, "warn")
        warehouse.put(("c", -5.0, "Chur", MONDAY))

        run = ingest(group)

        assert counts(run) == {"read": 3, "flagged": 1, "appended": 3, "online": 3}
        assert amounts(group) == {"a": 1.0, "b": 2.0, "c": -5.0}
        [problem] = run.problems
        assert (problem["code"], problem["feature"], problem["rule"]) == ("rule_broken", "amount", "min_value")
        assert problem["message"].endswith("; kept and flagged")
        result = ValidationReport.objects.get(run=run).results.get(rule="min_value")
        assert (result.severity, result.passed, result.checked, result.failed) == ("warn", False, 3, 1)
        assert [sample["entity_key"] for sample in result.sample] == ["c"]
        assert not QuarantinedRow.objects.exists()

    def test_reject_quarantines_the_row_once(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put(("c", -5.0, "Chur", MONDAY))
        first = ingest(group)
        kept = QuarantinedRow.objects.get()
        assert (kept.entity_key, kept.first_run, kept.last_run) == ("c", first, first)
        assert kept.row == {"account": "c", "amount": -5.0, "town": "Chur", "last_updated": MONDAY}
        assert [(reason["rule"], reason["feature"]) for reason in kept.reasons] == [("min_value", "amount")]

        second = ingest(group)

        assert counts(first) == {"read": 3, "rejected": 1, "appended": 2, "online": 2}
        assert counts(second) == {"read": 3, "rejected": 1, "unchanged": 2}
        again = QuarantinedRow.objects.get()
        assert (again.first_run, again.last_run) == (first, second)
        assert again.first_seen == kept.first_seen
        assert again.last_seen > kept.last_seen
        assert amounts(group) == {"a": 1.0, "b": 2.0}

    def test_a_rejected_row_that_is_mended_comes_in(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put(("c", -5.0, "Chur", MONDAY))
        ingest(group)
        warehouse.set_amounts(["c"], 5.0)

        assert counts(ingest(group)) == {"read": 3, "unchanged": 2, "appended": 1, "online": 1}
        assert amounts(group)["c"] == 5.0

    def test_rows_without_a_key_or_a_time_are_quarantined(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        warehouse.put((None, 5.0, "Chur", MONDAY), ("d", 5.0, "Chur", "some day"), ("e", 5.0, "Chur", None))

        assert counts(ingest(group)) == {"read": 5, "rejected": 3, "appended": 2, "online": 2}
        assert sorted(QuarantinedRow.objects.values_list("entity_key", flat=True)) == ["", "d", "e"]

    def test_a_nul_character_is_kept_as_something_that_every_database_can_hold(
        self, group: FeatureGroup, warehouse: Warehouse
    ) -> None:
        warehouse.put(("c", -5.0, "Ch\x00ur", MONDAY))

        assert counts(ingest(group)) == {"read": 3, "rejected": 1, "appended": 2, "online": 2}
        assert QuarantinedRow.objects.get().row["town"] == "Ch\ufffdur"

    def test_fail_writes_nothing_and_keeps_the_report(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        ingest(group)
        before = (online(group), history_amounts(group))
        self.rule(group, "fail")
        warehouse.put(("c", -5.0, "Chur", MONDAY), ("d", 5.0, "Chur", MONDAY))

        run = ingest(group)

        assert run.state == RunState.FAILED
        assert run.error.startswith("a rule of severity fail was broken: ")
        assert counts(run) == {"read": 4, "flagged": 1}
        assert (online(group), history_amounts(group)) == before
        report = ValidationReport.objects.get(run=run)
        assert not report.passed
        assert report.results.get(rule="min_value", severity="fail").failed == 1
        assert not QuarantinedRow.objects.exists()
        warehouse.set_amounts(["c"], 1.0)
        assert counts(ingest(group)) == {"read": 4, "unchanged": 2, "appended": 2, "online": 2}

    def test_fail_at_the_first_ingestion_leaves_no_history(self, group: FeatureGroup, warehouse: Warehouse) -> None:
        self.rule(group, "fail")
        warehouse.put(("c", -5.0, "Chur", MONDAY))

        assert ingest(group).state == RunState.FAILED
        assert open_history(group) is None
        assert not FeatureValue.objects.exists()


OWN_GROUP = """
    input_sources:
      sources:
        shops: {kind: sqlite, path: shops.db, timezone: Europe/Zurich}
    entities:
      visit: {join_keys: [customer_id, shop]}
    features:
      visits:
        source: shops
        source_table: facts
        entity: visit
        timestamp_column: seen_at
        created_column: loaded_at
        max_age: 30d
        key_map: {customer_id: cust}
        features:
          - {name: basket, type: float, source_column: chf}
"""


class TestGroupOfOnesOwn:
    """Another SQLite table, composite keys, event and created columns and a max age, by configuration alone."""

    @pytest.fixture
    def shops(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        file = tmp_path / "shops.db"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("CREATE TABLE facts (cust INTEGER, shop TEXT, chf REAL, seen_at TEXT, loaded_at TEXT)")
        self.put(file, (1, "23", 10.0, "2025-01-01 12:00:00", "2025-01-02 00:00:00"))
        self.put(file, (12, "3", 20.0, "2025-01-01 12:00:00", "2025-01-02 00:00:00"))
        path = tmp_path / "config_step7.yaml"
        path.write_text(dedent(OWN_GROUP))
        loaded = load_configuration(path, {"FEATURESTORE_DATA_DIR": str(tmp_path / "data")})
        monkeypatch.setattr(settings, "FEATURESTORE", loaded)
        apply_configuration(configured())
        return file

    def put(self, file: Path, *rows: tuple[Any, ...]) -> None:
        with closing(sqlite3.connect(file)) as database, database:
            database.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", rows)

    def test_is_ingested(self, shops: Path) -> None:
        group = FeatureGroup.objects.get(name="visits")

        run = ingest(group)

        assert (run.state, run.error, run.problems) == (RunState.SUCCEEDED, "", [])
        assert counts(run) == {"read": 2, "appended": 2, "online": 2}
        assert group.max_age == timedelta(days=30)
        rows = FeatureValue.objects.filter(group=group).order_by("entity_key")
        assert [(row.entity_key, row.values) for row in rows] == [
            ("12|3", {"basket_v1": 20.0}),
            ("1|23", {"basket_v1": 10.0}),
        ]
        assert rows[0].event_timestamp == datetime(2025, 1, 1, 11, tzinfo=UTC)
        assert rows[0].created_timestamp == datetime(2025, 1, 1, 23, tzinfo=UTC)
        assert counts(ingest(group)) == {"read": 2, "unchanged": 2}

    def test_the_later_created_row_of_an_event_wins(self, shops: Path) -> None:
        group = FeatureGroup.objects.get(name="visits")
        self.put(shops, (1, "23", 30.0, "2025-01-01 12:00:00", "2025-01-03 00:00:00"))
        self.put(shops, (1, "23", 15.0, "2025-01-01 12:00:00", "2025-01-02 12:00:00"))

        run = ingest(group)

        assert counts(run) == {"read": 4, "appended": 4, "online": 2}
        assert FeatureValue.objects.get(group=group, entity_key="1|23").values == {"basket_v1": 30.0}
        self.put(shops, (1, "23", 40.0, "2025-01-01 12:00:00", None), (1, "23", 9.0, "2025-01-02", "2025-01-02"))
        assert counts(ingest(group)) == {"read": 6, "unchanged": 4, "appended": 2, "online": 1}
        assert FeatureValue.objects.get(group=group, entity_key="1|23").values == {"basket_v1": 9.0}

    def test_a_row_corrected_in_place_with_the_same_times_wins(self, shops: Path) -> None:
        group = FeatureGroup.objects.get(name="visits")
        ingest(group)
        with closing(sqlite3.connect(shops)) as database, database:
            database.execute("UPDATE facts SET chf = 11 WHERE cust = 1")

        assert counts(ingest(group)) == {"read": 2, "unchanged": 1, "appended": 1, "online": 1}
        assert FeatureValue.objects.get(group=group, entity_key="1|23").values == {"basket_v1": 11.0}
        assert Source.objects.get(name="shops").location == str(shops)
