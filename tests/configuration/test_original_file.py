"""A file written for the original step 7 is accepted as it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from featurestore_site.configuration import load_configuration

FILE = Path(__file__).parent.parent / "data" / "config_original.yaml"


def test_its_keys_without_meaning_are_named_with_line_and_reason() -> None:
    configuration = load_configuration(FILE, {})

    named = [warning.split(": ", 1)[1].split(" ")[0] for warning in configuration.warnings]
    assert named == [
        "performance.query_optimization",
        "performance.auto_create_indexes",
        "integration.downstream.prepare_for_step8",
        "integration.downstream.prepare_for_step9",
        "feature_store.connection_pool_size",
        "performance.connection_pooling",
        "everyone",
    ]
    assert configuration.warnings[0] == (
        "config_original.yaml:110: performance.query_optimization has no effect: "
        "the database and the join engine plan their queries themselves."
    )
    assert "without a token" in configuration.warnings[-1]


def test_pooling_has_meaning_on_postgresql() -> None:
    configuration = load_configuration(FILE, {"DATABASE_URL": "postgres://store:pw@db/store"})
    assert not [warning for warning in configuration.warnings if "pool" in warning]


def test_backups_have_meaning_on_sqlite_only() -> None:
    configuration = load_configuration(FILE, {"DATABASE_URL": "postgres://store:pw@db/store"})
    (warning,) = [warning for warning in configuration.warnings if "backup" in warning]
    assert "feature_store.backup_enabled has no effect" in warning


def test_its_values_arrive() -> None:
    configuration = load_configuration(FILE, {})
    assert configuration.default_max_age == timedelta(hours=24)
    assert configuration.feature_store.database_path == FILE.parent / "feature_store.db"
    assert configuration.input_sources.step6_reports == FILE.parent.parent / "step6/reports"
    assert configuration.output.docs_format == ("markdown",)
    assert configuration.features["customer_demographics"].features[2].version == "1.0"
