from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.arrow_types import arrow_type
from catalog.declarations import RowRule, Severity
from catalog.models import FeatureProfile
from catalog.value_types import ValueType
from featurestore_site.configuration.sections import QualityThresholds
from ingestion.checks import ColumnRules, check_rows
from ingestion.profiles import Profile, contradictions, profile_columns, quality_report, store_profiles
from ingestion.profiles.histogram import MOST_BINS, histogram_of
from tests.stocked_store import make_feature, make_group

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def rows_of(kind: str, values: list[Any], **others: Any) -> pa.Table:
    count = len(values)
    return pa.table(
        {
            "entity_key": [str(n) for n in range(count)],
            "event_timestamp": pa.array([DAY + timedelta(days=n) for n in range(count)], arrow_type("timestamp")),
            "x_v1": pa.array(values, arrow_type(kind)),
            **others,
        }
    )


def column(kind: str = "float", name: str = "x", **rules: Any) -> ColumnRules:
    return ColumnRules(f"{name}_v1", name, ValueType(kind), **rules)


def profile_of(kind: str, values: list[Any], **rules: Any) -> Profile:
    return profile_columns(rows_of(kind, values), [column(kind, **rules)])["x_v1"]


def test_numbers_have_bounds_mean_sample_deviation_and_quantiles() -> None:
    profile = profile_of("float", [1.0, 2.0, 3.0, 4.0, None])
    assert (profile.row_count, profile.null_count, profile.distinct_count) == (5, 1, 4)
    assert (profile.min_value, profile.max_value, profile.mean_value) == (1.0, 4.0, 2.5)
    assert profile.std_dev == pytest.approx(1.2909944487358056)
    assert profile.quantiles["0.5"] == 2.5
    assert profile.completeness == 0.8
    assert profile.newest_event == DAY + timedelta(days=3)


def test_bounds_of_integers_above_2_53_are_exact() -> None:
    profile = profile_of("integer", [2**53 + 1, 2**62])
    assert (profile.min_value, profile.max_value) == (2**53 + 1, 2**62)


def test_infinity_is_a_value_and_in_no_statistic() -> None:
    profile = profile_of("float", [1.0, 3.0, math.inf], max_value=10)
    assert (profile.max_value, profile.mean_value, profile.null_count) == (3.0, 2.0, 0)
    assert profile.validity == pytest.approx(2 / 3)


def test_texts_and_booleans_have_their_most_frequent_values() -> None:
    texts = profile_of("string", ["b", "a", "b", None])
    assert texts.top_values == [{"value": "b", "count": 2}, {"value": "a", "count": 1}]
    assert (texts.min_value, texts.histogram) == (None, {})
    booleans = profile_of("boolean", [True, False, False, False])
    assert booleans.mean_value == 0.25
    assert booleans.top_values == [{"value": False, "count": 3}, {"value": True, "count": 1}]


@pytest.mark.parametrize("kind", [kind.value for kind in ValueType])
def test_every_type_profiles_nothing_and_one_value_as_json(kind: str) -> None:
    values = {"float": 1.5, "integer": 3, "string": "a", "boolean": True, "timestamp": DAY, "float_list": [1.0]}
    for rows in ([], [None], [values[kind]], [values[kind], None]):
        profile = profile_of(kind, rows)
        json.dumps([profile.min_value, profile.max_value, profile.quantiles, profile.histogram], allow_nan=False)
        orjson.dumps(profile)
        assert profile.row_count - profile.null_count == sum(value is not None for value in rows)
        assert (profile.completeness is None) == (not rows)


def test_validity_is_the_share_of_values_that_break_no_rule() -> None:
    assert profile_of("float", [5.0, 11.0, None, -1.0], min_value=0, max_value=10).validity == pytest.approx(1 / 3)
    assert profile_of("string", ["a", "z"], categories=("a",)).validity == 0.5
    assert profile_of("float", [None, None], min_value=0).validity is None
    assert profile_of("float", [1.0, None], nullable=False).validity == 1.0


def test_consistency_counts_each_entity_once_for_all_that_is_wrong() -> None:
    table = rows_of("float", [1.0, 2.0, 3.0, None], y_v1=pa.array([0.0, 9.0, 9.0, 9.0]))
    columns = [column(), column(name="y")]
    profiles = profile_columns(
        table,
        columns,
        [RowRule(name="in_order", expression="x < y")],
        unreadable={"x_v1": {"3"}},
        contradicted={"x_v1": {"0", "1"}},
    )
    assert profiles["x_v1"].consistency == 0.25
    assert profiles["y_v1"].consistency == 0.75


def test_a_column_whose_every_value_is_unreadable_is_not_consistent() -> None:
    profile = profile_columns(rows_of("float", [None]), [column()], unreadable={"x_v1": {"0"}})["x_v1"]
    assert (profile.completeness, profile.validity, profile.consistency) == (0.0, None, 0.0)


def test_contradictions_are_different_values_at_one_event_and_not_corrections() -> None:
    def row(key: str, created: int, x: float | None, y: float = 1.0) -> dict[str, Any]:
        made = DAY + timedelta(days=created)
        return {"entity_key": key, "event_timestamp": DAY, "created_timestamp": made, "x_v1": x, "y_v1": y}

    rows = [row("same", 0, 1.0), row("same", 0, 1.0), row("corrected", 0, 1.0), row("corrected", 1, 2.0)]
    rows += [row("two", 0, 1.0), row("two", 0, 2.0), row("or_none", 0, None), row("or_none", 0, 2.0)]
    assert contradictions(pa.Table.from_pylist(rows)) == {"x_v1": {"two", "or_none"}}


def test_a_feature_without_a_source_column_falls_short_and_says_why() -> None:
    problem = "source table facts has no column x; nearest columns: y"
    profile = profile_of("float", [None, None], source_problem=problem)
    (shortfall,) = quality_report([profile], QualityThresholds())
    assert (shortfall.feature, shortfall.rule, shortfall.measured, shortfall.wanted) == ("x", "completeness", 0.0, 0.95)
    assert problem in shortfall.message


def test_shortfalls_name_the_measure_and_broken_rules_of_severity_fail() -> None:
    rule = column(max_value=10, severity=Severity.FAIL)
    table = rows_of("float", [5.0, 11.0], source_row=pa.array([0, 1]))
    results = check_rows(table, [rule]).results
    found = quality_report(profile_columns(table, [rule]).values(), QualityThresholds(), results)
    assert [(shortfall.feature, shortfall.rule, shortfall.measured) for shortfall in found] == [
        ("x", "validity", 0.5),
        ("x", "max_value", 0.5),
    ]
    assert quality_report([profile_of("float", [1.0])], QualityThresholds()) == ()
    assert quality_report([profile_of("float", [])], QualityThresholds()) == ()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
@example([0.0, 0.0, 0.0, -79045.0, -3.8e-304])
def test_a_histogram_counts_every_number_once(numbers: list[float]) -> None:
    histogram = histogram_of(np.array(numbers, dtype=np.float64))
    if not histogram:
        assert not numbers or max(numbers) - min(numbers) >= 1e300
        return
    assert sum(histogram["counts"]) == len(numbers)
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1 <= MOST_BINS + 1
    assert histogram["edges"] == sorted(histogram["edges"])


def test_whole_numbers_stand_in_the_middle_of_their_bins() -> None:
    assert histogram_of(np.array([1.0, 2.0, 2.0, 3.0])) == {"edges": [0.5, 1.5, 2.5, 3.5], "counts": [1, 2, 1]}
    assert histogram_of(np.array([7.0, 7.0])) == {"edges": [7.0, 7.0], "counts": [2]}


@pytest.mark.django_db
def test_profiles_of_a_run_are_stored_once_and_become_the_latest() -> None:
    version = make_feature(make_group("finance"), "x")
    group = version.feature.group
    first = profile_columns(rows_of("float", [1.0]), [column()])
    for _ in range(2):
        assert store_profiles(group=group, profiles=first, run_id="a", table_version=1, computed_at=DAY) == 1
    later = profile_columns(rows_of("float", [1.0, 2.0]), [column()])
    store_profiles(group=group, profiles=later, run_id="b", table_version=2, computed_at=DAY + timedelta(days=1))
    store_profiles(group=group, profiles=first, run_id="a", table_version=1, computed_at=DAY)
    version.refresh_from_db()
    assert FeatureProfile.objects.filter(version=version).count() == 2
    assert version.latest_profile is not None
    assert (version.latest_profile.run_id, version.latest_profile.row_count) == ("b", 2)


@pytest.mark.django_db
def test_storing_takes_as_many_queries_for_many_features_as_for_few(django_assert_num_queries: Any) -> None:
    group = make_group("finance")
    names = [f"x{n}" for n in range(12)]
    for name in names:
        make_feature(group, name)
    table = rows_of("float", [1.0])
    for name in names:
        table = table.append_column(f"{name}_v1", pa.array([1.0]))
    profiles = profile_columns(table, [column(name=name) for name in names])
    with django_assert_num_queries(7):
        store_profiles(group=group, profiles=profiles, run_id="a", table_version=1, computed_at=DAY)
