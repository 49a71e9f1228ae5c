"""Validation runs: the rules and thresholds over the current values, and nothing written to the stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models import RuleResult, RunKind, RunState, RunStep, ValidationReport
from serving.models import FeatureValue
from tests.small_warehouse import (
    MONDAY,
    TUESDAY,
    Warehouse,
    history_amounts,
    ingest,
    make_accounts,
    make_warehouse,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = make_warehouse(tmp_path)
    warehouse.put(*((f"c{number}", float(number), "Bern", MONDAY) for number in range(20)))
    return warehouse


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    group = make_accounts()
    ingest(group)
    return group


def set_rule(**rule: object) -> None:
    FeatureVersion.objects.filter(feature__name="amount").update(validation=rule)


def test_good_values_pass(group: FeatureGroup) -> None:
    run = ingest(group, RunKind.VALIDATE)

    assert (run.state, run.step, run.progress, run.error, run.problems) == (
        RunState.SUCCEEDED, RunStep.DONE, 1.0, "", []
    )  # fmt: skip
    assert (run.rows_read, run.rows_flagged, run.rows_appended, run.table_version) == (20, 0, 0, 1)
    report = ValidationReport.objects.get(run=run)
    assert (report.passed, report.row_count, report.completeness, report.validity) == (True, 20, 1.0, 1.0)
    assert report.thresholds["completeness_min"] == 0.95


def test_it_writes_nothing_to_the_stores(group: FeatureGroup) -> None:
    before = (history_amounts(group), list(FeatureValue.objects.values_list("pk", "values", "run_id")))
    set_rule(min_value=5, severity="fail")

    ingest(group, RunKind.VALIDATE)

    assert (history_amounts(group), list(FeatureValue.objects.values_list("pk", "values", "run_id"))) == before


def test_falling_short_is_a_result_not_a_failure(group: FeatureGroup) -> None:
    set_rule(min_value=5, severity="warn")

    run = ingest(group, RunKind.VALIDATE)

    assert (run.state, run.rows_flagged) == (RunState.SUCCEEDED, 5)
    report = ValidationReport.objects.get(run=run)
    assert not report.passed
    assert [(short["feature"], short["rule"]) for short in report.shortfalls] == [("amount", "validity")]
    assert [(problem["code"], problem["feature"]) for problem in run.problems] == [("fell_short", "amount")]
    version = FeatureVersion.objects.get(feature__name="amount")
    assert version.latest_profile is not None
    assert (version.latest_profile.run_id, version.latest_profile.validity) == (str(run.pk), 0.75)


def test_one_row_that_breaks_a_rule_of_severity_fail_is_enough(group: FeatureGroup) -> None:
    set_rule(min_value=1, severity="fail")

    report = ValidationReport.objects.get(run=ingest(group, RunKind.VALIDATE))

    assert not report.passed
    assert [(short["feature"], short["rule"]) for short in report.shortfalls] == [("amount", "min_value")]


def test_only_the_newest_row_of_an_entity_counts(group: FeatureGroup, warehouse: Warehouse) -> None:
    warehouse.set_amounts([f"c{number}" for number in range(20)], 50.0, at=TUESDAY)
    ingest(group)
    set_rule(min_value=50, severity="fail")

    report = ValidationReport.objects.get(run=ingest(group, RunKind.VALIDATE))

    assert (report.passed, report.row_count) == (True, 20)


def test_missing_values_fall_short_of_completeness(group: FeatureGroup, warehouse: Warehouse) -> None:
    warehouse.execute("UPDATE accounts SET town = NULL WHERE account IN ('c1', 'c2')")
    ingest(group)

    report = ValidationReport.objects.get(run=ingest(group, RunKind.VALIDATE))

    assert [(short["feature"], short["rule"]) for short in report.shortfalls] == [("town", "completeness")]


def test_a_group_that_was_never_ingested(warehouse: Warehouse) -> None:
    run = ingest(make_accounts(), RunKind.VALIDATE)

    assert (run.state, run.error, run.rows_read, run.table_version) == (RunState.SUCCEEDED, "", 0, None)
    assert ValidationReport.objects.get(run=run).row_count == 0


def test_drift_is_kept_with_its_threshold(warehouse: Warehouse) -> None:
    warehouse.put(*((f"d{number}", float(number), "Bern", MONDAY) for number in range(40)))
    group = make_accounts()
    ingest(group)

    ingest(group, RunKind.VALIDATE)

    drift = RuleResult.objects.get(rule="drift", version__feature__name="amount")
    assert drift.passed
    assert drift.measured == pytest.approx(0.0, abs=1e-9)
    assert drift.threshold is not None
    assert drift.threshold > 0
    assert drift.ratio == drift.measured / drift.threshold
