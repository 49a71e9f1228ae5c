from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ingestion.models import Source
from ingestion.step6 import Step6Outputs, inherit_metadata, inherited_for, read_step6
from ingestion.step6.names import columns_in_formula, words
from tests.stocked_store import make_feature, make_group

PATTERN = "feature_engineering_summary_*.json"
CONFIGURATION = {
    "feature_engineering": {
        "customer_aggregations": {
            "numerical_features": [
                {"feature": "Balance", "aggregations": ["sum", "mean"]},
                {"feature": "EstimatedSalary", "aggregations": ["mean"]},
                {"feature": "CreditScore", "aggregations": ["mean"]},
            ],
            "categorical_features": [{"feature": "Geography", "aggregations": ["mode", "count_unique"]}],
        },
        "derived_features": [
            {"name": "balance_to_salary_ratio", "description": "A share", "formula": "Balance / EstimatedSalary"},
            {"name": "credit_score_category", "formula": "bin_credit_score", "bins": [300, 850], "labels": ["All"]},
        ],
    }
}
SUMMARY = {
    "transformation_timestamp": "2026-01-02T03:04:05",
    "feature_list": ["Balance_mean", "CreditScore_mean", "Geography_mode", "Geography_unique_count"],
    "data_types": {"Balance_mean": "float64"},
    "missing_values": {"Balance_mean": 3},
    "statistical_summary": {"Balance_mean": {"mean": 12.5, "max": float("inf")}},
}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "step6_reports"
    folder.mkdir()
    (folder / "feature_engineering_summary_20260102_030405.json").write_text(json.dumps(SUMMARY))
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE transformation_metadata (transformation_date TEXT, transformation_config TEXT)")
    connection.execute(
        "INSERT INTO transformation_metadata VALUES ('2026-01-02 03:04:05', ?)", [json.dumps(CONFIGURATION)]
    )
    connection.execute("CREATE TABLE feature_metadata (feature_name TEXT, feature_type TEXT, description TEXT)")
    connection.execute("INSERT INTO feature_metadata VALUES ('balance_mean', 'numerical', 'The mean balance')")
    connection.execute(
        "CREATE TABLE data_quality_metrics (table_name TEXT, column_name TEXT, validity REAL, measurement_date TEXT)"
    )
    connection.executemany(
        "INSERT INTO data_quality_metrics VALUES ('facts', 'balance_mean', ?, ?)", [(0.5, "2026"), (0.25, "2025")]
    )
    connection.commit()
    connection.close()
    return path


def read(warehouse: Path | None, reports: Path | None) -> Step6Outputs:
    return read_step6(
        warehouse=None if warehouse is None else str(warehouse),
        reports=None if reports is None else str(reports),
        pattern=PATTERN,
    )


def inherited(outputs: Step6Outputs, name: str, column: str | None = None) -> dict[str, Any]:
    return inherited_for(outputs, name=name, source_table="facts", source_column=column)


def test_an_aggregation_inherits_its_raw_column_and_what_was_measured(warehouse: Path, reports: Path) -> None:
    outputs = read(warehouse, reports)
    assert outputs.problems == ()
    assert inherited(outputs, "balance_mean") == {
        "raw_name": "Balance_mean",
        "raw_columns": ["Balance"],
        "aggregation": "mean",
        "formula": "mean(Balance)",
        "description": "The mean balance",
        "feature_type": "numerical",
        "data_type": "float64",
        "missing_values": 3,
        "statistics": {"mean": 12.5, "max": None},
        "quality": {
            "table_name": "facts",
            "column_name": "balance_mean",
            "validity": 0.5,
            "measurement_date": "2026",
        },
        "report": "feature_engineering_summary_20260102_030405.json",
        "run_at": "2026-01-02T03:04:05",
    }


def test_a_derived_feature_inherits_its_formula_and_the_raw_columns_in_it(warehouse: Path, reports: Path) -> None:
    outputs = read(warehouse, reports)
    ratio = inherited(outputs, "balance_to_salary_ratio")
    assert (ratio["formula"], ratio["raw_columns"]) == ("Balance / EstimatedSalary", ["Balance", "EstimatedSalary"])
    category = inherited(outputs, "credit_score_category")
    assert (category["raw_columns"], category["labels"]) == (["CreditScore"], ["All"])


@pytest.mark.parametrize(
    ("name", "column", "raw_name"),
    [
        ("geography_mode", "geography", "Geography_mode"),
        ("country", "geography", "Geography_mode"),
        ("credit_score_mean", None, "CreditScore_mean"),
        ("score", "credit_score_mean", "CreditScore_mean"),
        ("something_else", "elsewhere", None),
    ],
)
def test_a_feature_is_matched_by_name_then_column(
    warehouse: Path, reports: Path, name: str, column: str | None, raw_name: str | None
) -> None:
    assert inherited(read(warehouse, reports), name, column).get("raw_name") == raw_name


def test_the_summary_alone_is_enough_for_raw_columns(reports: Path) -> None:
    found = inherited(read(None, reports), "balance_mean")
    assert (found["raw_columns"], found["aggregation"]) == (["Balance"], "mean")


@pytest.mark.parametrize("garbage", ["{", "[]", '"text"', "null", "[" * 100_000, ""])
def test_a_report_that_is_garbage_is_a_problem_and_the_older_one_is_taken(reports: Path, garbage: str) -> None:
    (reports / "feature_engineering_summary_20270101_000000.json").write_text(garbage)
    outputs = read(None, reports)
    assert [problem.code for problem in outputs.problems] == ["step6_report_unreadable"]
    assert inherited(outputs, "balance_mean")["missing_values"] == 3


@pytest.mark.parametrize(
    "content",
    [
        {
            "feature_list": 5,
            "data_types": [1],
            "missing_values": {"Balance_mean": "x"},
            "statistical_summary": {"a": 1},
        },
        {"feature_list": [None, 3, "Balance_mean"], "transformation_timestamp": 5},
        {},
    ],
)
def test_a_report_of_another_shape_gives_what_it_has(reports: Path, content: dict[str, Any]) -> None:
    (reports / "feature_engineering_summary_20270101_000000.json").write_text(json.dumps(content))
    assert read(None, reports).problems == ()
    inherited(read(None, reports), "balance_mean")


def test_missing_reports_and_broken_tables_are_problems(tmp_path: Path, warehouse: Path) -> None:
    connection = sqlite3.connect(warehouse)
    connection.execute("INSERT INTO transformation_metadata VALUES ('2027', '{broken')")
    connection.commit()
    connection.close()
    outputs = read(warehouse, tmp_path / "nowhere")
    assert [problem.code for problem in outputs.problems] == ["step6_reports_missing", "step6_metadata_unreadable"]
    assert inherited(outputs, "balance_mean")["formula"] == "mean(Balance)"
    assert [problem.code for problem in read(tmp_path / "none.db", None).problems] == ["step6_metadata_unreadable"] * 3


def test_names_are_split_into_words_whatever_their_spelling() -> None:
    assert words("CreditScore_mean") == words("credit_score_mean") == ("credit", "score", "mean")
    assert columns_in_formula("bin_age", ["Age", "Balance"]) == ["Age"]
    assert columns_in_formula("average", ["Age"]) == []


@pytest.mark.django_db
def test_versions_keep_what_they_inherit(warehouse: Path, reports: Path) -> None:
    group = make_group("facts")
    version = make_feature(group, "balance_mean", source_column="balance_mean")
    other = make_feature(group, "unheard_of", inherited={"formula": "from before"})
    source = Source.objects.create(
        name="warehouse", kind="sqlite", location=str(warehouse), reports_location=str(reports)
    )
    assert inherit_metadata(group, source=source) == []
    version.refresh_from_db()
    other.refresh_from_db()
    assert version.inherited["raw_name"] == "Balance_mean"
    assert other.inherited == {"formula": "from before"}
