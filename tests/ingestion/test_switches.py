"""What the switches of the validation and integration sections turn off."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from catalog.clock import now
from catalog.models import FeatureGroup
from catalog.quality_thresholds import thresholds
from featurestore_site.configuration import Configuration
from ingestion.health import CheckState, store_health
from ingestion.models import RunKind, RunState, Source, ValidationReport
from ingestion.problems import ProblemLevel, find_problems
from tests.small_warehouse import MONDAY, TUESDAY, Warehouse, ingest, make_accounts, make_warehouse

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return make_warehouse(tmp_path)


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    """A group whose town is missing half of the time."""
    warehouse.put(("a", 1.0, None, MONDAY), ("b", 2.0, "Genf", MONDAY))
    return make_accounts()


def change(configuration: Configuration, section: str, **values: Any) -> None:
    changed = getattr(configuration, section).model_copy(update=values)
    settings.FEATURESTORE = dataclasses.replace(configuration, **{section: changed})


def upstream(configuration: Configuration, **values: bool) -> None:
    changed = configuration.integration.upstream.model_copy(update=values)
    change(configuration, "integration", upstream=changed)


def problem_codes(run: Any) -> set[str]:
    return {problem["code"] for problem in run.problems}


def test_quality_is_measured_and_not_judged(group: FeatureGroup, configuration: Configuration) -> None:
    judged = ValidationReport.objects.get(run=ingest(group))
    assert (judged.passed, [found["rule"] for found in judged.shortfalls]) == (False, ["completeness"])
    assert judged.thresholds["completeness_min"] == 0.95

    change(configuration, "validation", quality_monitoring_enabled=False)
    report = ValidationReport.objects.get(run=ingest(group, RunKind.VALIDATE))

    assert (report.passed, report.shortfalls, report.thresholds) == (True, [], {})
    assert report.completeness == judged.completeness == 0.75
    assert thresholds() == {"completeness": None, "validity": None, "consistency": None}


def test_a_run_that_falls_short_logs_one_alert(
    group: FeatureGroup, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="featurestore.alerts"):
        ingest(group)
        ingest(group)
        warehouse.put(("a", 1.0, None, TUESDAY))
        ingest(group, RunKind.VALIDATE)
    told = [record.getMessage() for record in caplog.records if record.name == "featurestore.alerts"]
    assert len(told) == 1
    assert "town: completeness is 0.5000" in told[0]


def test_an_alert_that_cannot_be_handed_over_changes_nothing_of_the_run(
    group: FeatureGroup, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = configuration.validation.alerts.model_copy(update={"webhook": "http://hook.example"})
    change(configuration, "validation", alerts=alerts)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the broker is away")

    monkeypatch.setattr("ingestion.runs.current_app.send_task", broken)
    assert ingest(group).state == RunState.SUCCEEDED


def test_what_is_amiss_in_step_6_is_told_unless_turned_off(
    group: FeatureGroup, configuration: Configuration, tmp_path: Path
) -> None:
    Source.objects.update(reports_location=str(tmp_path / "none"))
    assert "step6_reports_missing" in problem_codes(ingest(group))
    upstream(configuration, step6_required=False)
    assert "step6_reports_missing" not in problem_codes(ingest(group))
    upstream(configuration, validate_step6_outputs=False)
    assert problem_codes(ingest(group)) == set()


def test_a_missing_warehouse(warehouse: Warehouse, configuration: Configuration) -> None:
    def levels() -> list[ProblemLevel]:
        found = find_problems((), at=now())
        return [problem.level for problem in found if problem.code == "source_missing"]

    assert store_health().checks["warehouse"].state is CheckState.PASS
    warehouse.file.unlink()
    assert levels() == [ProblemLevel.ERROR]
    health = store_health()
    assert (health.checks["warehouse"].state, health.healthy) == (CheckState.WARN, True)
    upstream(configuration, step6_required=False)
    assert levels() == [ProblemLevel.WARNING]
    upstream(configuration, step6_health_check=False)
    assert "warehouse" not in store_health().checks
