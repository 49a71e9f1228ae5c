"""Scales, labels, escaping and layout, each by itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.drawings.histogram import bins_of
from catalog.drawings.lineage_layout import arrange, nearest
from catalog.drawings.scale import Scale, distinct_labels, nice_ticks, percentage, short_number
from catalog.drawings.svg import element, number, safe_href, shorten, slug

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(low=finite, high=finite, value=finite)
def test_a_scale_stays_between_its_ends(low: float, high: float, value: float) -> None:
    assert 10 <= Scale(min(low, high), max(low, high), 10, 90)(value) <= 90


@given(low=finite, high=finite, about=st.integers(min_value=1, max_value=8))
def test_ticks_are_few_rising_and_inside(low: float, high: float, about: int) -> None:
    low, high = min(low, high), max(low, high)
    ticks = nice_ticks(low, high, about=about)
    assert 1 <= len(ticks) <= 20
    assert all(low <= tick <= high for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_ticks_are_round() -> None:
    assert nice_ticks(0, 250_898.09, about=5) == (0, 100_000, 200_000)
    assert nice_ticks(-1, 1) == (-1.0, -0.5, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (12.5, "12.5"),
        (1234, "1,234"),
        (12_345, "12.3k"),
        (161_993.89, "162k"),
        (-3_200_000, "−3.2M"),
        (1e-7, "1e-07"),
        (1e300, "1e+300"),
        (math.nan, "–"),
        (math.inf, "∞"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert short_number(value) == shown


def test_neighbours_are_told_apart() -> None:
    assert distinct_labels([1_000_010, 1_000_020]) == ["1.00001M", "1.00002M"]


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (1, "100%"), (0.9997, ">99.9%"), (0.0002, "<0.1%"), (0.3333, "33.3%"), (0.5, "50%")],
)
def test_percentages_do_not_round_to_certainty(share: float, shown: str) -> None:
    assert percentage(share) == shown


@pytest.mark.parametrize("attribute", ["style", "onclick", "id", "xlink_href"])
def test_unknown_attributes_are_refused(attribute: str) -> None:
    with pytest.raises(ValueError, match="not an attribute of drawings"):
        element("rect", **{attribute: "x"})


def test_a_coordinate_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="must be finite"):
        number(math.nan)


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "//elsewhere.example", "/\\elsewhere.example", "data:x", "", None]
)
def test_only_web_addresses_are_linked(href: str | None) -> None:
    assert safe_href(href) is None


def test_words_are_shortened_and_made_classes() -> None:
    assert shorten("a  very\nlong name", 8) == "a very…"
    assert slug("Feature Version!") == "feature-version"
    assert slug("☃") == "other"


def test_bins_are_merged_when_there_are_many() -> None:
    bins = bins_of(edges=list(range(1001)), counts=[1] * 1000, most=100)
    assert len(bins) == 100
    assert sum(one.count for one in bins) == 1000
    assert (bins[0].low, bins[-1].high) == (0, 1000)


@pytest.mark.parametrize(("edges", "counts"), [([0, 1], [1, 2]), ([0], [1]), ([0, 1, 2], [1, -1])])
def test_a_histogram_that_does_not_add_up_is_refused(edges: list[float], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"edges|negative"):
        bins_of(edges=edges, counts=counts)


def test_layers_follow_the_longest_way() -> None:
    layout = arrange(nodes=["a", "b", "c", "d"], edges=[("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")])
    real = [[place for place in layer if isinstance(place, str)] for layer in layout.layers]
    assert real[0] == ["a"]
    assert set(real[1]) == {"b", "d"}
    assert real[2] == ["c"]
    assert layout.routes["a", "c"] == ("a", ("a", "c", 1), "c")


letters = st.sampled_from("abcdefgh")


@given(edges=st.lists(st.tuples(letters, letters), max_size=40))
def test_every_node_has_one_place_and_every_edge_a_route(edges: list[tuple[str, str]]) -> None:
    nodes = sorted({end for edge in edges for end in edge})
    layout = arrange(nodes=nodes, edges=edges)
    placed = [place for layer in layout.layers for place in layer]
    assert len(placed) == len(set(placed))
    assert sorted(place for place in placed if isinstance(place, str)) == nodes
    assert set(layout.routes) == {(a, b) for a, b in edges if a != b}
    at = {place: column for column, layer in enumerate(layout.layers) for place in layer}
    for (source, target), route in layout.routes.items():
        assert (route[0], route[-1]) == (source, target)
        steps = {at[right] - at[left] for left, right in zip(route, route[1:], strict=False)}
        assert steps in ({1}, {-1})


def test_the_nearest_nodes_are_kept() -> None:
    nodes = [str(n) for n in range(10)]
    edges = [(str(n), str(n + 1)) for n in range(9)]
    assert nearest(nodes=nodes, edges=edges, start=["5"], most=3) == ["4", "5", "6"]
    assert nearest(nodes=nodes, edges=edges, start=["unknown"], most=2) == ["0", "1"]
