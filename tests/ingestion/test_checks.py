from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from catalog.declarations import RowRule, Severity
from catalog.errors import InvalidInput
from catalog.value_types import ValueType
from ingestion.checks import (
    ColumnRules,
    RuleOutcome,
    check_drift,
    check_outliers,
    check_rows,
    drift_from,
    merge_results,
)
from ingestion.checks.outliers import outlier_rows
from ingestion.extraction import Fault
from ingestion.profiles.histogram import histogram_of


def rows_of(**columns: list[Any]) -> pa.Table:
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            "entity_key": [str(n) for n in range(count)],
            "event_timestamp": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * count, pa.timestamp("us", tz="UTC")),
            "source_row": pa.array(range(count), pa.int64()),
            **columns,
        }
    )


def rules_of(name: str, kind: str = "float", **rules: Any) -> ColumnRules:
    return ColumnRules(f"{name}_v1", name, ValueType(kind), **rules)


def result(results: tuple[RuleOutcome, ...] | list[RuleOutcome], rule: str) -> RuleOutcome:
    return next(found for found in results if found.rule == rule)


def test_bounds_are_inclusive_and_nulls_are_not_checked() -> None:
    table = rows_of(x_v1=[0.0, 10.0, -0.1, 10.1, None])
    outcome = check_rows(table, [rules_of("x", min_value=0, max_value=10)])
    low, high = result(outcome.results, "min_value"), result(outcome.results, "max_value")
    assert (low.checked, low.failed, low.passed) == (4, 1, False)
    assert (high.checked, high.failed) == (4, 1)
    assert high.message == "x is above 10 (up to 10.1): 1 of 4 rows"
    assert high.sample == ({"entity_key": "3", "event_timestamp": "2026-01-01T00:00:00+00:00", "value": 10.1},)
    assert outcome.flagged.to_pylist() == [False, False, True, True, False]
    assert outcome.rejected.to_pylist() == [False] * 5
    assert not outcome.fail


def test_the_sample_holds_at_most_ten_rows() -> None:
    outcome = check_rows(rows_of(x_v1=[5.0] * 357), [rules_of("x", max_value=1)])
    found = result(outcome.results, "max_value")
    assert (found.failed, len(found.sample)) == (357, 10)


@pytest.mark.parametrize(
    ("kind", "values", "rules", "rule", "broken"),
    [
        ("string", ["a", "b", None], {"categories": ("a",)}, "categories", [1]),
        ("string", ["A1", "xA1", None], {"pattern": "[A-Z][0-9]"}, "pattern", [1]),
        ("float", [1.0, None], {"nullable": False}, "nullable", [1]),
        ("integer", [7, 7, 8, None, None], {"unique": True}, "unique", [0, 1]),
        ("integer", [2**62, 1], {"max_value": 1000.0}, "max_value", [0]),
    ],
)
def test_each_rule_marks_the_rows_that_break_it(
    kind: str, values: list[Any], rules: dict[str, Any], rule: str, broken: list[int]
) -> None:
    outcome = check_rows(rows_of(x_v1=values), [rules_of("x", kind, **rules)])
    assert result(outcome.results, rule).failed == len(broken)
    assert np.flatnonzero(outcome.flagged.to_pylist()).tolist() == broken


def test_severity_reject_keeps_rows_out_with_their_reasons() -> None:
    table = rows_of(x_v1=[1.0, 99.0], y_v1=["a", "z"])
    rules = [
        rules_of("x", max_value=10, severity=Severity.REJECT),
        rules_of("y", "string", categories=("a",), severity=Severity.WARN),
    ]
    outcome = check_rows(table, rules)
    assert outcome.rejected.to_pylist() == [False, True]
    assert outcome.flagged.to_pylist() == [False, False]
    assert [reason.as_json() for reason in outcome.reasons[1]] == [
        {"rule": "max_value", "feature": "x", "message": "x is above 10 (up to 99)"}
    ]


def test_severity_fail_fails_the_whole() -> None:
    outcome = check_rows(rows_of(x_v1=[1.0, 99.0]), [rules_of("x", max_value=10, severity=Severity.FAIL)])
    assert outcome.fail
    assert [found.rule for found in outcome.failures] == ["max_value"]


def test_a_value_of_the_wrong_type_counts_under_type_and_not_as_missing() -> None:
    faults = [Fault(1, "type", "'12abc' is not a number", "12abc", "x", "x_v1")]
    outcome = check_rows(rows_of(x_v1=[1.0, None]), [rules_of("x", nullable=False)], (), faults)
    typed = result(outcome.results, "type")
    assert (typed.checked, typed.failed) == (2, 1)
    assert typed.sample[0]["value"] == "12abc"
    assert result(outcome.results, "nullable").failed == 0
    assert outcome.flagged.to_pylist() == [False, True]


def test_a_broken_key_or_time_always_rejects() -> None:
    faults = [Fault(0, "key", "the join key id is missing"), Fault(1, "timestamp", "'x' is not a timestamp", "x")]
    outcome = check_rows(rows_of(x_v1=[1.0, 1.0, 1.0]), (), (), faults)
    assert outcome.rejected.to_pylist() == [True, True, False]
    assert outcome.reasons[0][0].message == "the join key id is missing"


def test_a_column_that_its_source_lacks_breaks_no_rule() -> None:
    column = rules_of("x", nullable=False, severity=Severity.REJECT, source_problem="the table has no column x")
    outcome = check_rows(rows_of(x_v1=pa.nulls(2, pa.float64())), [column])
    assert [found.rule for found in outcome.results] == ["key", "timestamp"]
    assert outcome.rejected.to_pylist() == [False, False]


def test_a_row_rule_is_broken_where_it_is_false_and_not_where_it_is_null() -> None:
    table = rows_of(low_v1=[1.0, 3.0, None], high_v1=[2.0, 2.0, 2.0])
    rule = RowRule(name="in_order", expression="low <= high", severity=Severity.REJECT, description="low above high")
    outcome = check_rows(table, [rules_of("low"), rules_of("high")], [rule])
    found = result(outcome.results, "row:in_order")
    assert (found.feature, found.checked, found.failed) == (None, 2, 1)
    assert found.sample[0]["value"] == {"low_v1": 3.0, "high_v1": 2.0}
    assert outcome.rejected.to_pylist() == [False, True, False]


def test_a_row_rule_means_the_default_major_by_name_and_any_by_column() -> None:
    table = rows_of(x_v1=[1.0], x_v2=[9.0])
    first = ColumnRules("x_v1", "x", ValueType.FLOAT, is_default=True)
    second = ColumnRules("x_v2", "x", ValueType.FLOAT, is_default=False)
    rules = [RowRule(name="one", expression="x < 5"), RowRule(name="two", expression="x_v2 < 5")]
    outcome = check_rows(table, [first, second], rules)
    assert result(outcome.results, "row:one").passed
    assert not result(outcome.results, "row:two").passed


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("ballance > 0", "names ballance, which is no feature of the group; did you mean balance"),
        ("balance + 1", "is no condition"),
        ("sum(balance) > 1", "aggregate"),
        ("balance >", "not an SQL expression"),
    ],
)
def test_a_row_rule_that_cannot_be_checked_is_refused(expression: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_rows(rows_of(balance_v1=[1.0]), [rules_of("balance")], [RowRule(name="r", expression=expression)])


def test_an_empty_table_breaks_nothing() -> None:
    table = rows_of(x_v1=[1.0]).slice(0, 0)
    outcome = check_rows(
        table, [rules_of("x", min_value=0, nullable=False, unique=True)], [RowRule(name="r", expression="x > 0")]
    )
    assert all(found.passed and found.checked == 0 for found in outcome.results)


def test_results_of_batches_are_merged() -> None:
    rules = [rules_of("x", max_value=1)]
    merged = merge_results([check_rows(rows_of(x_v1=[0.0, 5.0]), rules), check_rows(rows_of(x_v1=[7.0]), rules)])
    found = result(merged, "max_value")
    assert (found.checked, found.failed, len(found.sample), found.passed) == (3, 2, 2, False)


@pytest.mark.parametrize("method", ["z_score", "iqr"])
def test_outliers_are_far_from_the_rest_and_never_where_there_is_no_spread(method: Any) -> None:
    values = pa.array([*([1.0, 2.0, 3.0] * 20), 1000.0, None])
    found = outlier_rows(values, threshold=3.0, method=method)
    assert np.flatnonzero(found).tolist() == [60]
    assert not outlier_rows(pa.array([1.0] * 50), threshold=3.0, method=method).any()
    assert not outlier_rows(pa.array([1.0, 2.0, 1e9]), threshold=1.0, method=method).any()


def test_outliers_warn() -> None:
    table = rows_of(x_v1=[*([1.0, 2.0, 3.0] * 20), 1000.0])
    (found,) = check_outliers(table, [rules_of("x"), rules_of("s", "string")], threshold=3.0)
    assert (found.severity, found.failed, found.sample[0]["value"]) == (Severity.WARN, 1, 1000.0)


def test_drift_tells_a_shift_from_chance() -> None:
    random = np.random.default_rng(7)
    before = random.normal(size=5000)
    histogram = histogram_of(before)
    same = drift_from(pa.array(random.normal(size=5000)), histogram=histogram)
    moved = drift_from(pa.array(random.normal(loc=1.0, size=5000)), histogram=histogram)
    assert same is not None
    assert moved is not None
    assert same.index < 0.05 < 0.5 < moved.index
    column, values = rules_of("x"), pa.array(before)
    kept, warned = check_drift(column, values, same, threshold=0.2), check_drift(column, values, moved, threshold=0.2)
    assert kept is not None
    assert kept.passed
    assert warned is not None
    assert not warned.passed
    assert "stability index" in warned.message
    assert (kept.measured, kept.threshold) == (same.index, 0.2)
    assert (warned.measured, warned.threshold) == (moved.index, 0.2)


def test_small_samples_of_the_same_do_not_drift() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(50):
        histogram = histogram_of(random.normal(size=60))
        drift = drift_from(pa.array(random.normal(size=60)), histogram=histogram)
        found = check_drift(rules_of("x"), pa.array([1.0]), drift, threshold=0.1)
        alarms += found is not None and not found.passed
    assert alarms <= 2


def test_drift_of_texts_is_over_their_frequencies() -> None:
    top = [{"value": "a", "count": 500}, {"value": "b", "count": 500}]
    now = pa.array(["a"] * 100 + ["c"] * 900)
    drift = drift_from(now, top_values=top, row_count=1000)
    assert drift is not None
    assert drift.index > 1
    assert drift_from(pa.array(["a"] * 5), top_values=top, row_count=1000) is None


@pytest.mark.parametrize(
    ("value", "bound", "told"),
    [
        (2261541.5766666667, 10, "2261541.577"),
        (0.123456789, 0.1, "0.123456789"),
        (10.0001, 10, "10.0001"),
        (11.0, 10, "11"),
    ],
)
def test_how_far_a_value_went_is_told_in_few_digits(value: float, bound: float, told: str) -> None:
    outcome = check_rows(rows_of(x_v1=[value]), [rules_of("x", max_value=bound)])
    assert result(outcome.results, "max_value").message == f"x is above {bound} (up to {told}): 1 of 1 rows"
