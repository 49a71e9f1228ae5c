"""What quickstart leaves to look at: a month of a bank in which things went as they go, computed by the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.quick_started import QuickStarted

pytestmark = pytest.mark.slow


def asked(store: QuickStarted, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store.installation.folder / "data" / "feature_store.db")) as database:
        return database.execute(query).fetchall()


def test_it_is_told_that_days_were_lived_through(quick_started: QuickStarted) -> None:
    assert "30 days of the demo bank: 200 runs, of which 2 failed" in quick_started.printed
    assert "featurestore.alerts: Feature group" not in quick_started.printed.split("Ingestion")[0]


def test_three_entities_with_a_month_of_history(quick_started: QuickStarted) -> None:
    assert asked(quick_started, "SELECT name FROM catalog_entity ORDER BY name") == [
        ("branch",),
        ("customer",),
        ("merchant",),
    ]
    days = dict(
        asked(
            quick_started,
            "SELECT g.name, count(DISTINCT date(r.created_at)) FROM ingestion_ingestionrun r "
            "JOIN catalog_featuregroup g ON g.id = r.group_id WHERE r.trigger = 'schedule' GROUP BY g.name",
        )
    )
    assert days["customer_financial"] == days["merchant_settlements"] == 30
    assert days["merchant_risk"] == days["branch_profile"] == 5


def test_two_runs_were_refused_and_the_last_one_still_is(quick_started: QuickStarted) -> None:
    failed = asked(
        quick_started,
        "SELECT r.trigger, r.error FROM ingestion_ingestionrun r JOIN catalog_featuregroup g ON g.id = r.group_id "
        "WHERE r.state = 'failed' AND g.name = 'customer_service_desk' ORDER BY r.created_at",
    )
    assert [trigger for trigger, _ in failed] == ["schedule", "schedule", "quickstart"]
    assert "satisfaction is below 1 (down to 0)" in failed[0][1]
    assert "satisfaction is above 5 (up to 10)" in failed[-1][1]
    assert asked(quick_started, "SELECT count(*) FROM ingestion_ingestionrun WHERE state = 'failed'") == [(3,)]


def test_one_group_is_late_and_one_falls_short(quick_started: QuickStarted) -> None:
    late = asked(
        quick_started,
        "SELECT g.name FROM serving_materializedtable t JOIN catalog_featuregroup g ON g.id = t.group_id "
        "WHERE g.freshness IS NOT NULL AND (julianday('now') - julianday(t.newest_event)) * 86400e6 > g.freshness",
    )
    assert late == [("merchant_settlements",)]
    assert "merchant_chargeback_score: completeness is 0.8611" in quick_started.printed


def test_drift_was_found_where_the_sale_moved_the_values(quick_started: QuickStarted) -> None:
    drifted = asked(
        quick_started,
        "SELECT DISTINCT f.name FROM ingestion_ruleresult r JOIN catalog_featureversion v ON v.id = r.version_id "
        "JOIN catalog_feature f ON f.id = v.feature_id WHERE r.rule = 'drift' AND NOT r.passed",
    )
    assert ("merchant_average_ticket",) in drifted


def test_a_deprecated_feature_has_a_replacement_and_is_still_used(quick_started: QuickStarted) -> None:
    assert asked(
        quick_started,
        "SELECT f.name, n.name, s.name FROM catalog_feature f JOIN catalog_feature n ON n.id = f.replacement_id "
        "JOIN catalog_featureservicemember m ON m.feature_id = f.id "
        "JOIN catalog_featureservice s ON s.id = m.service_id WHERE f.status = 'deprecated'",
    ) == [("channel_code", "main_channel", "fraud_screening")]
    [(reads,)] = asked(
        quick_started,
        "SELECT sum(online_reads) FROM serving_featureusage u JOIN catalog_feature f ON f.id = u.feature_id "
        "WHERE f.name = 'channel_code'",
    )
    assert reads > 500


def test_datasets_versions_follows_and_journal(quick_started: QuickStarted) -> None:
    assert asked(quick_started, "SELECT name, state, row_count FROM serving_trainingdataset ORDER BY created_at") == [
        ("churn training, first try", "succeeded", 300),
        ("spending segments", "succeeded", 300),
        ("churn training", "succeeded", 300),
    ]
    assert asked(
        quick_started,
        "SELECT v.major, v.minor FROM catalog_featureversion v JOIN catalog_feature f ON f.id = v.feature_id "
        "WHERE f.name = 'amount_per_transaction' ORDER BY 1, 2",
    ) == [(1, 0), (2, 0)]
    assert asked(quick_started, "SELECT count(*) FROM catalog_feature WHERE tier = 'certified'") == [(4,)]
    assert asked(quick_started, "SELECT count(*) FROM catalog_follow") == [(7,)]
    assert asked(quick_started, "SELECT kind, closed_at IS NULL FROM catalog_journalentry ORDER BY created_at") == [
        ("incident", 0),
        ("note", 1),
        ("incident", 1),
        ("incident", 1),
    ]
