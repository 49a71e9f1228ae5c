"""The stability index of two stored histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.stability import stability_index

HISTOGRAM = {"edges": [0, 10, 20, 30, 40], "counts": [100, 300, 400, 200]}


def of(values: np.ndarray) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, bins=30)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def test_a_histogram_is_as_itself() -> None:
    assert stability_index(HISTOGRAM, HISTOGRAM) == pytest.approx(0.0, abs=1e-9)


def test_two_samples_of_one_population_are_stable_and_a_shift_is_not() -> None:
    random = np.random.default_rng(7)
    before, same, shifted = random.normal(size=20_000), random.normal(size=20_000), random.normal(1.0, size=20_000)

    stable, moved = stability_index(of(before), of(same)), stability_index(of(before), of(shifted))

    assert stable is not None
    assert moved is not None
    assert stable < 0.02
    assert moved > 0.5


@pytest.mark.parametrize("other", [{}, {"edges": [], "counts": []}, {"edges": [1, 2], "counts": [0]}, {"edges": [1]}])
def test_nothing_is_compared_with_nothing(other: dict[str, list[float]]) -> None:
    assert stability_index(HISTOGRAM, other) is None
    assert stability_index(other, HISTOGRAM) is None


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any),
    st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any),
    st.floats(-1e6, 1e6),
)
def test_it_is_never_negative(first: list[int], second: list[int], offset: float) -> None:
    before = {"edges": list(range(len(first) + 1)), "counts": first}
    now = {"edges": [offset + step for step in range(len(second) + 1)], "counts": second}
    index = stability_index(before, now)
    assert index is not None
    assert index >= -1e-9


def test_one_value_has_no_width() -> None:
    one = {"edges": [5.0, 5.0], "counts": [100]}
    assert stability_index(one, one) == pytest.approx(0.0, abs=1e-9)
    assert stability_index(one, HISTOGRAM) is not None
