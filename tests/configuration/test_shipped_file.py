"""The ``config_step7.yaml`` of the project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.declarations import Severity
from featurestore_site.configuration import Configuration, load_configuration
from featurestore_site.configuration.loading import FILE_NAME, PROJECT_DIR


@pytest.fixture
def shipped(tmp_path: Path) -> Configuration:
    file = tmp_path / FILE_NAME
    shutil.copy(PROJECT_DIR / FILE_NAME, file)
    return load_configuration(file, {})


def test_it_has_no_warnings(shipped: Configuration) -> None:
    assert shipped.warnings == ()


def test_nothing_is_written_by_loading(shipped: Configuration) -> None:
    assert [file.name for file in shipped.file.parent.iterdir()] == [FILE_NAME]


def test_it_declares_the_three_groups_of_the_pipeline(shipped: Configuration) -> None:
    groups = shipped.catalog_declaration.groups
    columns = {name: {f.name: (f.type.value, f.column) for f in group.features} for name, group in groups.items()}
    assert columns == {
        "customer_demographics": {
            "customer_id": ("integer", "customer_id"),
            "age_mean": ("float", "age"),
            "geography_mode": ("string", "geography"),
            "gender_mode": ("string", "gender"),
            "age_group": ("string", "age_group"),
        },
        "customer_financial": {
            "balance_mean": ("float", "balance_mean"),
            "balance_sum": ("float", "balance_sum"),
            "balance_std": ("float", "balance_std"),
            "credit_score_mean": ("float", "credit_score_mean"),
            "estimated_salary_mean": ("float", "estimated_salary_mean"),
        },
        "customer_derived": {
            "balance_to_salary_ratio": ("float", "balance_to_salary_ratio"),
            "high_value_customer": ("boolean", "high_value_customer"),
            "geographic_risk_score": ("float", "geographic_risk_score"),
            "credit_score_category": ("string", "credit_score_category"),
        },
    }


def test_its_ranges_warn(shipped: Configuration) -> None:
    ranges = {
        feature.name: (feature.validation.min_value, feature.validation.max_value, feature.validation.severity)
        for group in shipped.features.values()
        for feature in group.features
        if feature.validation.max_value is not None
    }
    assert ranges == {
        "age_mean": (0, 120, Severity.WARN),
        "balance_mean": (0, 1_000_000, Severity.WARN),
        "credit_score_mean": (300, 850, Severity.WARN),
        "estimated_salary_mean": (0, 500_000, Severity.WARN),
        "balance_to_salary_ratio": (0, 10, Severity.WARN),
        "geographic_risk_score": (0, 5, Severity.WARN),
    }


def test_its_thresholds_and_schedule(shipped: Configuration) -> None:
    thresholds = shipped.validation.quality_thresholds
    assert (thresholds.completeness_min, thresholds.validity_min, thresholds.consistency_min) == (0.95, 0.9, 0.85)
    assert shipped.ingestion.schedule == "0 */6 * * *"


def test_its_services_name_declared_features(shipped: Configuration) -> None:
    declared = {f"{name}:{feature.name}" for name, group in shipped.features.items() for feature in group.features}
    for service in shipped.services.values():
        assert set(service.features) <= declared


def test_places_follow_the_file(shipped: Configuration) -> None:
    folder = shipped.file.parent
    assert shipped.database.name == str(folder / "data/feature_store.db")
    assert shipped.offline_path == str(folder / "data/offline")
    assert shipped.reports_dir == folder / "reports"
    assert shipped.logs_dir == folder / "logs"
    assert shipped.sources["warehouse"].path == folder / "data/demo/datawarehouse/customer_data_warehouse.db"
    assert shipped.default_max_age is None
