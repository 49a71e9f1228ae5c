from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.masked_columns import mask_values
from serving.masking import feature_key, mask_value

KEY = feature_key("secret", entity="customer", feature="mail")


def masked(value: Any, mask: str, data_type: str) -> Any:
    return mask_value(value, mask=mask, data_type=data_type, key=KEY)


@pytest.mark.parametrize(
    ("value", "mask", "data_type", "expected"),
    [
        ("text", "null", "string", None),
        (None, "hash", "string", None),
        ("CZ65080000", "partial", "string", "***0000"),
        ("12345678", "partial", "string", "***78"),
        ("1234", "partial", "string", "***"),
        ("", "partial", "string", "***"),
        (4111111111111111, "partial", "integer", "***1111"),
        (True, "partial", "boolean", None),
        ([1.0], "partial", "float_list", None),
        (47, "bucket", "integer", 40),
        (-47, "bucket", "integer", -50),
        (0, "bucket", "integer", 0),
        (1, "bucket", "integer", 0),
        (9, "bucket", "integer", 0),
        (10, "bucket", "integer", 10),
        (-1, "bucket", "integer", -10),
        (-10, "bucket", "integer", -10),
        (9.99, "bucket", "float", 0.0),
        (-0.5, "bucket", "float", -10.0),
        (False, "bucket", "boolean", None),
        (None, "bucket", "integer", None),
        (None, "partial", "string", None),
        (161993.89, "bucket", "float", 100000.0),
        (0.3, "bucket", "float", 0.0),
        (-(2**63), "bucket", "integer", -(2**63)),
        ("text", "bucket", "string", None),
        (True, "bucket", "boolean", None),
        ("2024-05-06T07:08:09.000001Z", "bucket", "timestamp", "2024-01-01T00:00:00.000000Z"),
    ],
)
def test_what_is_seen(value: Any, mask: str, data_type: str, expected: Any) -> None:
    seen = masked(value, mask, data_type)
    assert (seen, type(seen)) == (expected, type(expected))


def test_hashes_tell_equal_values_of_one_feature_and_nothing_else() -> None:
    other = feature_key("secret", entity="customer", feature="phone")
    assert masked("a", "hash", "string") == masked("a", "hash", "string")
    assert masked("a", "hash", "string") != masked("b", "hash", "string")
    assert masked("a", "hash", "string") != mask_value("a", mask="hash", data_type="string", key=other)
    assert masked(5, "hash", "float") == masked(5.0, "hash", "float")
    assert masked(-0.0, "hash", "float") == masked(0.0, "hash", "float")


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_bucket_is_a_lower_bound(number: float) -> None:
    data_type = "integer" if isinstance(number, int) else "float"
    assert masked(number, "bucket", data_type) <= number


@given(st.integers(-(2**63) + 10**19 // 2, 2**63 - 10**19 // 2 - 1))
def test_a_bucket_hides_at_least_a_decade(number: int) -> None:
    bound = masked(number, "bucket", "integer")
    assert {masked(bound + step, "bucket", "integer") for step in range(10)} == {bound}


def test_columns_keep_or_change_their_type() -> None:
    def column(values: list[Any], mask: str, data_type: str) -> pa.Array:
        return mask_values(values, mask=mask, data_type=data_type, key=KEY)

    assert column([1, None], "hash", "integer").type == pa.string()
    assert column([41, None], "bucket", "integer").equals(pa.array([40, None], pa.int64()))
    stamps = column(["2024-05-06T07:08:09.000000Z", None], "bucket", "timestamp")
    assert stamps.type == pa.timestamp("us", tz="UTC")
    assert stamps.null_count == 1
    assert column([[1.0]], "null", "float_list").equals(pa.array([None], pa.list_(pa.float64())))
