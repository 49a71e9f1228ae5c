"""The demo warehouse: the shape of step 6, the same rows for the same seed, and good enough to pass."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from catalog.errors import Conflict, InvalidInput, NotFound
from ingestion.demo_warehouse import DemoWarehouse, add_day, make_demo_warehouse

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACT_COLUMNS = (
    "balance_sum",
    "balance_mean",
    "balance_std",
    "credit_score_mean",
    "estimated_salary_mean",
    "balance_to_salary_ratio",
    "high_value_customer",
    "geographic_risk_score",
    "credit_score_category",
)
DIMENSION_COLUMNS = ("geography", "gender", "age", "age_group")
RULES = {
    "balance_mean": (0, 1_000_000),
    "balance_sum": (0, 1_000_000),
    "balance_std": (0, 1_000_000),
    "credit_score_mean": (300, 850),
    "estimated_salary_mean": (0, 500_000),
    "balance_to_salary_ratio": (0, 10),
    "geographic_risk_score": (0, 5),
    "age": (18, 100),
}


def query(database: Path, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql, arguments).fetchall()


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoWarehouse:
    return make_demo_warehouse(out=tmp_path_factory.mktemp("demo") / "out", end=END)


@pytest.fixture
def small(tmp_path: Path) -> DemoWarehouse:
    return make_demo_warehouse(out=tmp_path / "out", end=END, customers=200, days=6)


def test_default_size(demo: DemoWarehouse) -> None:
    facts = demo.rows["fact_customer_features"] + demo.rows["fact_customer_activity"]

    assert demo.created
    assert demo.rows["dim_customers"] == 2000
    assert demo.rows["transformation_metadata"] == 30
    assert demo.rows["fact_branch_features"] == 30 * demo.rows["dim_branches"]
    assert 30_000 <= facts <= 60_000
    for table, count in demo.rows.items():
        assert query(demo.database, f"SELECT count(*) FROM {table}") == [(count,)]


@pytest.mark.parametrize("latest_only", [False, True])
def test_quality_passes_the_thresholds(demo: DemoWarehouse, latest_only: bool) -> None:
    latest = "SELECT max(feature_id) FROM fact_customer_features GROUP BY customer_id"
    where = f"feature_id IN ({latest})" if latest_only else "1"
    places = [("fact_customer_features", column, where) for column in FACT_COLUMNS]
    places += [("dim_customers", column, "1") for column in DIMENSION_COLUMNS]
    for table, column, condition in places:
        rows = query(demo.database, f"SELECT {column} FROM {table} WHERE {condition}")
        values = [value for (value,) in rows if value is not None and value != "nan"]
        low, high = RULES.get(column, (None, None))

        assert len(values) / len(rows) >= 0.95, column
        if low is not None:
            assert sum(low <= value <= high for value in values) / len(values) >= 0.90, column


@pytest.mark.parametrize("customers", [1, 20, 60])
def test_small_banks_are_complete_enough_in_every_run(tmp_path: Path, customers: int) -> None:
    made = make_demo_warehouse(out=tmp_path / "out", end=END, customers=customers, days=5)
    for column in FACT_COLUMNS:
        shares = query(
            made.database,
            f"SELECT avg({column} IS NOT NULL AND {column} IS NOT 'nan') FROM fact_customer_features "
            "GROUP BY last_updated",
        )

        assert min(share for (share,) in shares) >= 0.95, column


def test_rare_cases_are_there(demo: DemoWarehouse) -> None:
    def count(condition: str) -> int:
        return int(query(demo.database, f"SELECT count(*) FROM fact_customer_features WHERE {condition}")[0][0])

    assert count("balance_mean > 1000000") > 0
    assert count("balance_to_salary_ratio > 10") > 0
    assert count("balance_mean IS NULL") > 0
    assert count("credit_score_mean = 850 AND credit_score_category = 'nan'") > 0
    assert count("credit_score_mean = 850 AND credit_score_category <> 'nan'") == 0
    assert count("credit_score_mean IS NULL AND credit_score_category <> 'nan'") == 0
    assert count("balance_std > 0") > count("1") / 2


def test_a_third_of_the_customers_has_no_balance(demo: DemoWarehouse) -> None:
    [(share,)] = query(
        demo.database,
        "SELECT avg(balance_mean = 0) FROM (SELECT balance_mean, max(feature_id) FROM fact_customer_features "
        "WHERE balance_mean IS NOT NULL GROUP BY customer_id)",
    )

    assert 0.28 <= share <= 0.40


def test_features_follow_their_formulas(demo: DemoWarehouse) -> None:
    assert query(
        demo.database,
        "SELECT count(*) FROM fact_customer_features "
        "WHERE abs(balance_to_salary_ratio - balance_mean / estimated_salary_mean) > 1e-9",
    ) == [(0,)]
    assert query(
        demo.database,
        "SELECT DISTINCT geography, geographic_risk_score FROM fact_customer_features "
        "JOIN dim_customers USING (customer_id) ORDER BY 1",
    ) == [(None, None), ("France", 1.0), ("Germany", 2.0), ("Spain", 3.0)]
    assert query(
        demo.database, "SELECT age_group, min(age) >= ?, max(age) < ? FROM dim_customers GROUP BY 1", 0, 100
    ) == [
        (group, *rest)
        for group, *rest in [(None, None, None)] + [(g, 1, 1) for g in ("Elderly", "Middle-aged", "Senior", "Young")]
    ]
    assert query(demo.database, "SELECT DISTINCT age_group FROM dim_customers WHERE age >= 30 AND age < 45") == [
        ("Middle-aged",)
    ]


def test_high_value_separates_by_balance_in_every_run(demo: DemoWarehouse) -> None:
    runs = query(
        demo.database,
        "SELECT min(CASE WHEN high_value_customer THEN balance_mean END), "
        "max(CASE WHEN NOT high_value_customer THEN balance_mean END) "
        "FROM fact_customer_features GROUP BY last_updated",
    )

    assert len(runs) == 30
    assert all(lowest_high > highest_other for lowest_high, highest_other in runs)


def test_time_matters(demo: DemoWarehouse) -> None:
    [(first, last, runs)] = query(
        demo.database,
        "SELECT min(last_updated), max(last_updated), count(DISTINCT last_updated) FROM fact_customer_features",
    )
    [(joined_later,)] = query(demo.database, "SELECT count(*) FROM dim_customers WHERE created_date > ?", first)
    [(before_joining,)] = query(
        demo.database,
        "SELECT count(*) FROM fact_customer_features JOIN dim_customers USING (customer_id) "
        "WHERE last_updated < created_date",
    )
    [(balances, salaries)] = query(
        demo.database,
        "SELECT max(balances), max(salaries) FROM (SELECT count(DISTINCT balance_mean) AS balances, "
        "count(DISTINCT estimated_salary_mean) AS salaries FROM fact_customer_features GROUP BY customer_id)",
    )

    assert (first, last, runs) == ("2026-01-31 12:00:00", "2026-03-01 12:00:00", 30)
    assert joined_later > 100
    assert before_joining == 0
    assert balances > 20
    assert salaries > 1


def test_nothing_is_later_than_the_end_and_some_activity_arrives_late(demo: DemoWarehouse) -> None:
    [(date, created)] = query(demo.database, "SELECT max(activity_date), max(created_date) FROM fact_customer_activity")
    [(late, total)] = query(
        demo.database,
        "SELECT sum(date(created_date) > activity_date), count(*) FROM fact_customer_activity",
    )

    assert (date, created) == ("2026-03-01", "2026-03-01 12:00:00")
    assert 0 < late < total / 10


def test_activity_explains_the_balances(small: DemoWarehouse) -> None:
    """With one customer's record of three days, the window's spread cannot exceed what the account moved."""
    [(unexplained,)] = query(
        small.database,
        "SELECT count(*) FROM fact_customer_features AS f WHERE balance_std > 0 AND last_updated = "
        "'2026-03-01 12:00:00' AND NOT EXISTS (SELECT 1 FROM fact_customer_activity AS a "
        "WHERE a.customer_id = f.customer_id AND a.balance_change <> 0 AND a.activity_date >= '2026-02-28')",
    )

    assert unexplained == 0


def test_the_featured_customer_always_has_values(demo: DemoWarehouse) -> None:
    rows = query(
        demo.database, "SELECT balance_mean, credit_score_mean FROM fact_customer_features WHERE customer_id = 15634602"
    )

    assert len(rows) > 20
    assert all(balance > 0 and score >= 350 for balance, score in rows)


def test_the_report_tells_of_the_last_run(demo: DemoWarehouse) -> None:
    [path] = demo.reports.iterdir()
    report = json.loads(path.read_text())
    [(rows, mean, low, high)] = query(
        demo.database,
        "SELECT count(*), avg(balance_mean), min(balance_mean), max(balance_mean) FROM fact_customer_features "
        "WHERE last_updated = '2026-03-01 12:00:00'",
    )
    [(read, written, created, config)] = query(
        demo.database,
        "SELECT input_records, output_records, features_created, transformation_config "
        "FROM transformation_metadata ORDER BY transformation_id DESC LIMIT 1",
    )
    balance = report["statistical_summary"]["Balance_mean"]

    assert path.name == "feature_engineering_summary_20260301_120000.json"
    assert list(report) == [
        "transformation_timestamp",
        "input_shape",
        "output_shape",
        "features_created",
        "feature_list",
        "numerical_features",
        "categorical_features",
        "data_types",
        "missing_values",
        "statistical_summary",
    ]
    assert report["input_shape"] == [read, 14]
    assert report["output_shape"] == [written, created] == [rows, 19]
    assert (balance["min"], balance["max"]) == (low, high)
    assert balance["mean"] == pytest.approx(mean)
    assert balance["count"] == rows - report["missing_values"]["Balance_mean"]
    assert {"name": "high_value_customer", "formula": "Balance > balance_p75"}.items() <= next(
        derived
        for derived in json.loads(config)["feature_engineering"]["derived_features"]
        if derived["name"] == "high_value_customer"
    ).items()


def test_the_warehouse_describes_itself_truly(demo: DemoWarehouse) -> None:
    [(low, high, mean, nulls, unique)] = query(
        demo.database,
        "SELECT min_value, max_value, mean_value, null_count, unique_count FROM feature_metadata "
        "WHERE feature_name = 'balance_mean'",
    )
    [expected] = query(
        demo.database,
        "SELECT min(balance_mean), max(balance_mean), avg(balance_mean), sum(balance_mean IS NULL), "
        "count(DISTINCT balance_mean) FROM fact_customer_features",
    )
    [(invalid,)] = query(
        demo.database,
        "SELECT invalid_count FROM data_quality_metrics WHERE column_name = 'balance_to_salary_ratio'",
    )

    assert (low, high, nulls, unique) == (expected[0], expected[1], expected[3], expected[4])
    assert mean == pytest.approx(expected[2])
    assert query(demo.database, "SELECT count(*) FROM fact_customer_features WHERE balance_to_salary_ratio > 10") == [
        (invalid,)
    ]


def test_same_seed_and_end_give_the_same_rows(tmp_path: Path) -> None:
    first, again, other = (
        make_demo_warehouse(out=tmp_path / name, end=END, customers=120, days=4, seed=seed)
        for name, seed in (("first", 3), ("again", 3), ("other", 4))
    )

    assert dump(first.database) == dump(again.database)
    assert first.database.read_bytes() == again.database.read_bytes()
    assert dump(first.database) != dump(other.database)
    assert [path.read_bytes() for path in first.reports.iterdir()] == [
        path.read_bytes() for path in again.reports.iterdir()
    ]


def test_the_end_may_be_in_any_zone(tmp_path: Path) -> None:
    made = make_demo_warehouse(out=tmp_path, end=END.astimezone(timezone(timedelta(hours=9))), customers=5, days=1)

    assert query(made.database, "SELECT DISTINCT last_updated FROM fact_customer_features") == [
        ("2026-03-01 12:00:00",)
    ]


def test_an_existing_warehouse_stays_unless_forced(small: DemoWarehouse) -> None:
    out, before = small.database.parent.parent, small.database.read_bytes()

    kept = make_demo_warehouse(out=out, end=END + timedelta(days=1), customers=50, days=2)
    assert not kept.created
    assert kept.rows == small.rows
    assert small.database.read_bytes() == before

    replaced = make_demo_warehouse(out=out, end=END + timedelta(days=1), customers=50, days=2, force=True)
    assert replaced.created
    assert replaced.rows["dim_customers"] == 50
    assert [path.name for path in replaced.reports.iterdir()] == ["feature_engineering_summary_20260302_120000.json"]


def test_a_broken_build_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo_warehouse(out=tmp_path / "out", end=END, customers=20, days=3, progress=stop)

    assert list(tmp_path.iterdir()) == []


def test_progress_counts_the_days(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_demo_warehouse(
        out=tmp_path, end=END, customers=5, days=3, progress=lambda done, total: told.append((done, total))
    )

    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("wrong", [{"customers": 0}, {"days": 0}, {"seed": -1}, {"end": datetime(2026, 3, 1)}])  # noqa: DTZ001 - a time without a zone is the point
def test_wrong_arguments_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make_demo_warehouse(**{"out": tmp_path / "out", "end": END, **wrong})

    assert list(tmp_path.iterdir()) == []


def test_a_day_more_appends_one_run(small: DemoWarehouse) -> None:
    at = END + timedelta(days=1)
    appended = add_day(database=small.database, at=at, seed=1, share=0.5)
    [(rows, customers, fresh)] = query(
        small.database,
        "SELECT count(*), count(DISTINCT customer_id), sum(created_date = last_updated) FROM fact_customer_features "
        "JOIN dim_customers USING (customer_id) WHERE last_updated = '2026-03-02 12:00:00'",
    )
    [(same,)] = query(
        small.database,
        "SELECT count(*) FROM fact_customer_features AS new JOIN fact_customer_features AS old "
        "USING (customer_id, balance_mean, credit_score_mean, estimated_salary_mean) "
        "WHERE new.last_updated = '2026-03-02 12:00:00' AND old.feature_id = (SELECT max(feature_id) "
        "FROM fact_customer_features WHERE customer_id = new.customer_id AND feature_id < new.feature_id)",
    )

    assert appended == rows == customers == 100
    assert fresh == 2
    assert same == 0
    assert query(small.database, "SELECT count(*), max(output_records) FROM transformation_metadata")[0][0] == 7
    assert query(small.database, "SELECT count(*) FROM dim_customers") == [(202,)]
    assert len(list(small.reports.iterdir())) == 2


def test_a_day_more_is_seeded(small: DemoWarehouse, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(small.database, copy)
    for database in (small.database, copy):
        add_day(database=database, at=END + timedelta(hours=6), seed=9)

    assert dump(small.database) == dump(copy)


def test_a_day_more_suits_a_warehouse_without_extras(small: DemoWarehouse) -> None:
    with closing(sqlite3.connect(small.database)) as connection, connection:
        connection.execute("ALTER TABLE fact_customer_features DROP COLUMN balance_sum")
        connection.execute("UPDATE dim_customers SET customer_num = NULL, tenure_days = NULL")
        for table in ("fact_customer_activity", "fact_branch_features", "feature_metadata", "data_quality_metrics"):
            connection.execute(f"DROP TABLE {table}")

    assert add_day(database=small.database, at=END + timedelta(days=1), seed=1, share=1.0) == 200
    assert query(
        small.database, "SELECT count(*) FROM dim_customers WHERE customer_num IS NOT NULL OR tenure_days >= 0"
    ) == [(0,)]


def test_a_day_that_is_not_later_changes_nothing(small: DemoWarehouse) -> None:
    before = dump(small.database)
    with pytest.raises(Conflict, match="2026-03-01 12:00:00"):
        add_day(database=small.database, at=END, seed=1)

    assert dump(small.database) == before


def test_a_day_needs_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        add_day(database=tmp_path / "none.db", at=END, seed=1)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(InvalidInput, match="fact_customer_features"):
        add_day(database=other, at=END, seed=1)
    with pytest.raises(InvalidInput, match="share"):
        add_day(database=other, at=END, seed=1, share=1.5)


def test_the_command_fills_the_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(FEATURESTORE=SimpleNamespace(data_dir=tmp_path)):
        call_command("demo_warehouse", "--customers", "5", "--days", "1")

    assert (tmp_path / "demo" / "datawarehouse" / "customer_data_warehouse.db").is_file()


def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("demo_warehouse", "--out", str(tmp_path / "out"), "--customers", "30", "--days", "2")

    call_command(*arguments)
    made = capsys.readouterr().out
    call_command(*arguments)
    kept = capsys.readouterr().out

    assert made.startswith("Made ")
    assert "dim_customers                    30" in made
    assert kept.startswith("Left as it is (use --force to replace it)")
    with pytest.raises(CommandError, match="at least 1 customer"):
        call_command("demo_warehouse", "--out", str(tmp_path / "other"), "--customers", "0")
