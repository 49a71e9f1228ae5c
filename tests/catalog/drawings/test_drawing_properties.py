"""What every drawing promises, whatever it is given."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import drawings
from catalog.drawings.svg import MAX_SIDE

SVG = "{http://www.w3.org/2000/svg}"
NUMERIC = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height")
HOSTILE = (
    '<script>alert("1")</script>',
    "\"' onload='x' style=\"",
    "]]></svg><svg onload=alert(1)>",
    "&amp; &#0; &",
    "\x00\x08\ud800\ufffe",
    "\u202eevil",
    "line\nbreak\ttab",
    "",
    "x" * 5000,
)

anything = st.text() | st.sampled_from(HOSTILE)
floats = st.floats(allow_nan=True, allow_infinity=True)
sides = st.floats(min_value=-10, max_value=1e7) | st.just(math.nan)
hrefs = st.none() | anything | st.sampled_from(["/features/a/", "javascript:alert(1)", "//elsewhere.example/"])
moments = st.integers(min_value=0, max_value=7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def check(drawing: str, *, title: str | None = None) -> ElementTree.Element:
    """Asserts the promises and returns the parsed drawing."""
    root = ElementTree.fromstring(drawing)
    assert root.tag == f"{SVG}svg"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("role") in {"img", "group"}
    assert (root.get("role") == "group") == (root.find(f".//{SVG}a") is not None)
    if title is not None:
        assert root[0].text == title
        assert root.get("aria-label") == title
    assert 0 < float(root.get("width", "")) <= MAX_SIDE
    assert 0 < float(root.get("height", "")) <= MAX_SIDE
    for node in root.iter():
        assert node.tag not in {f"{SVG}script", f"{SVG}style", f"{SVG}foreignObject", f"{SVG}image"}
        for name, value in node.attrib.items():
            assert name != "style"
            assert not name.startswith("on")
            assert name != "id"
            if name in NUMERIC:
                assert math.isfinite(float(value))
                assert abs(float(value)) <= 2 * MAX_SIDE
            if name in {"points", "d", "viewBox"}:
                numbers = re.findall(r"-?\d+(?:\.\d+)?", value)
                assert numbers
                assert all(abs(float(one)) <= 2 * MAX_SIDE for one in numbers)
                assert "nan" not in value
                assert "inf" not in value
            if name in {"width", "height", "r"}:
                assert float(value) >= 0
            if name == "href":
                assert value.startswith(("/", "?", "#", "http://", "https://"))
                assert not value.startswith("//")
    return root


@settings(max_examples=60, deadline=None)
@given(
    one=st.tuples(st.lists(floats, min_size=2, max_size=40), st.booleans()),
    seed=st.integers(min_value=0, max_value=10**15),
    other=st.none() | st.lists(floats, min_size=2, max_size=20),
    mark=st.none() | floats,
    label=anything,
    width=sides,
    height=sides,
)
def test_histogram_holds_its_promises(
    one: tuple[list[float], bool],
    seed: int,
    other: list[float] | None,
    mark: float | None,
    label: str,
    width: float,
    height: float,
) -> None:
    edges = sorted(one[0]) if one[1] else one[0]
    reference = drawings.Histogram(sorted(other), [seed % 7] * (len(other) - 1)) if other else None
    check(
        drawings.histogram(
            edges=edges,
            counts=[(seed * 31**at) % 1_000_003 for at in range(len(edges) - 1)],
            title=label,
            description=label,
            width=width,
            height=height,
            reference=reference,
            mark=mark,
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.none() | floats, max_size=60),
    threshold=st.none() | floats,
    label=anything,
    width=sides,
    height=sides,
)
def test_sparkline_holds_its_promises(
    values: list[float | None], threshold: float | None, label: str, width: float, height: float
) -> None:
    check(
        drawings.sparkline(
            values=values, title=label, description=label, threshold=threshold, width=width, height=height
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    outcomes=st.lists(st.builds(drawings.Outcome, state=anything, label=anything, href=hrefs), max_size=80),
    label=anything,
)
def test_run_strip_holds_its_promises(outcomes: list[drawings.Outcome], label: str) -> None:
    check(drawings.run_strip(outcomes=outcomes, title=label, description=label))


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.builds(drawings.TopValue, label=anything, count=st.integers(min_value=0, max_value=10**18)),
        max_size=30,
    ),
    total=st.integers(min_value=0, max_value=10**18),
    label=anything,
    width=sides,
)
def test_top_values_hold_their_promises(values: list[drawings.TopValue], total: int, label: str, width: float) -> None:
    check(drawings.top_values(values=values, total=total, title=label, description=label, width=width))


@settings(max_examples=60, deadline=None)
@given(share=st.none() | floats, threshold=st.none() | floats, label=anything, width=sides, height=sides)
def test_completeness_bar_holds_its_promises(
    share: float | None, threshold: float | None, label: str, width: float, height: float
) -> None:
    check(
        drawings.completeness_bar(
            share=share, threshold=threshold, title=label, description=label, width=width, height=height
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    percentiles=st.builds(drawings.Percentiles, floats, floats, floats, floats, floats),
    label=anything,
    width=sides,
)
def test_percentile_bar_holds_its_promises(percentiles: drawings.Percentiles, label: str, width: float) -> None:
    check(drawings.percentile_bar(percentiles=percentiles, title=label, description=label, width=width))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[drawings.GraphNode], list[drawings.GraphEdge]]:
    ids = draw(st.lists(st.sampled_from("abcdefghijkl"), max_size=90))
    nodes = [
        drawings.GraphNode(
            id=one, kind=draw(anything), name=draw(anything), href=draw(hrefs), is_focus=draw(st.booleans())
        )
        for one in ids
    ]
    ends = st.sampled_from("abcdefghijklz")
    edges = draw(
        st.lists(st.builds(drawings.GraphEdge, source=ends, target=ends, transformation=anything), max_size=40)
    )
    return nodes, edges


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), label=anything)
def test_lineage_graph_holds_its_promises(
    graph: tuple[list[drawings.GraphNode], list[drawings.GraphEdge]], label: str
) -> None:
    nodes, edges = graph
    check(drawings.lineage_graph(nodes=nodes, edges=edges, title=label, description=label))


@settings(max_examples=60, deadline=None)
@given(
    spans=st.lists(
        st.builds(
            drawings.Span,
            label=anything,
            state=anything,
            start=moments,
            end=st.none() | moments,
            href=hrefs,
        ),
        max_size=60,
    ),
    now=moments,
    label=anything,
    width=sides,
)
def test_timeline_holds_its_promises(spans: list[drawings.Span], now: datetime, label: str, width: float) -> None:
    check(drawings.timeline(spans=spans, now=now, title=label, description=label, width=width))


@settings(max_examples=60, deadline=None)
@given(
    edges=st.lists(floats, min_size=1, max_size=60),
    seed=st.integers(min_value=0, max_value=10**15),
    mark=st.none() | floats,
    label=anything,
    width=sides,
    height=sides,
)
def test_mini_histogram_holds_its_promises(
    edges: list[float], seed: int, mark: float | None, label: str, width: float, height: float
) -> None:
    check(
        drawings.mini_histogram(
            edges=edges,
            counts=[(seed * 31**at) % 1_000_003 for at in range(len(edges) - 1)],
            title=label,
            description=label,
            width=width,
            height=height,
            mark=mark,
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(
        st.builds(drawings.Point, at=moments, value=st.none() | floats, label=anything, href=hrefs), max_size=40
    ),
    thresholds=st.lists(
        st.builds(drawings.Threshold, value=floats, label=anything, bad=st.sampled_from(["above", "below"])), max_size=3
    ),
    shares=st.booleans(),
    label=anything,
    width=sides,
    height=sides,
)
def test_line_chart_holds_its_promises(
    points: list[drawings.Point],
    thresholds: list[drawings.Threshold],
    shares: bool,
    label: str,
    width: float,
    height: float,
) -> None:
    check(
        drawings.line_chart(
            points=points,
            thresholds=thresholds,
            shares=shares,
            title=label,
            description=label,
            width=width,
            height=height,
        )
    )
    assert len(drawings.line_table(points=points, thresholds=thresholds, shares=shares).rows) == len(points)


@settings(max_examples=60, deadline=None)
@given(days=st.integers(min_value=0, max_value=70), data=st.data(), label=anything)
def test_heat_grid_holds_its_promises(days: int, data: st.DataObject, label: str) -> None:
    cells = st.none() | st.builds(drawings.Cell, state=anything, label=anything, href=hrefs)
    rows = data.draw(
        st.lists(
            st.builds(drawings.Row, label=anything, cells=st.lists(cells, min_size=days, max_size=days), href=hrefs),
            max_size=5,
        )
    )
    columns = [drawings.Column(str(day), label) for day in range(days)]
    check(drawings.heat_grid(rows=rows, columns=columns, title=label, description=label))


@settings(max_examples=60, deadline=None)
@given(
    lanes=st.lists(
        st.builds(
            drawings.Lane,
            label=anything,
            spans=st.lists(
                st.builds(
                    drawings.Span,
                    label=anything,
                    state=anything,
                    start=moments,
                    end=st.none() | moments,
                    href=hrefs,
                ),
                max_size=5,
            ),
            href=hrefs,
            expected=st.lists(moments, max_size=3),
        ),
        max_size=50,
    ),
    times=st.lists(moments, min_size=2, max_size=2, unique=True),
    now=moments,
    label=anything,
    width=sides,
)
def test_gantt_holds_its_promises(
    lanes: list[drawings.Lane], times: list[datetime], now: datetime, label: str, width: float
) -> None:
    start, end = sorted(times)
    check(drawings.gantt(lanes=lanes, start=start, end=end, now=now, title=label, description=label, width=width))
    drawings.gantt_table(lanes=lanes, now=now)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        drawings.line_chart(
            points=[drawings.Point(at=datetime(2026, 1, 1), value=1.0)],  # noqa: DTZ001  (without a zone on purpose)
            title="t",
            description="d",
        )
    with pytest.raises(ValueError, match="every row needs 1 cells"):
        drawings.heat_grid(rows=[drawings.Row("a", [])], columns=[drawings.Column("1")], title="t", description="d")
    with pytest.raises(ValueError, match="after its start"):
        drawings.gantt(lanes=[], start=NOW, end=NOW, now=NOW, title="t", description="d")


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE_DRAWINGS: dict[str, Callable[[str], str]] = {
    "histogram": lambda label: drawings.histogram(edges=[0, 1], counts=[1], title=label, description=label),
    "sparkline": lambda label: drawings.sparkline(values=[1, 2], title=label, description=label),
    "strip": lambda label: drawings.run_strip(
        outcomes=[drawings.Outcome(state=label, label=label, href=label)], title=label, description=label
    ),
    "top_values": lambda label: drawings.top_values(
        values=[drawings.TopValue(label=label, count=1)], total=2, title=label, description=label
    ),
    "completeness": lambda label: drawings.completeness_bar(share=0.5, title=label, description=label),
    "percentiles": lambda label: drawings.percentile_bar(
        percentiles=drawings.Percentiles(0, 1, 2, 3, 4), title=label, description=label
    ),
    "mini": lambda label: drawings.mini_histogram(edges=[0, 1], counts=[1], title=label, description=label),
    "line": lambda label: drawings.line_chart(
        points=[drawings.Point(at=NOW, value=2, label=label, href=label)],
        thresholds=[drawings.Threshold(1, label)],
        title=label,
        description=label,
    ),
    "heat": lambda label: drawings.heat_grid(
        rows=[drawings.Row(label, [drawings.Cell(label, label, label)], label)],
        columns=[drawings.Column(label, label)],
        title=label,
        description=label,
    ),
    "gantt": lambda label: drawings.gantt(
        lanes=[drawings.Lane(label, [drawings.Span(label, label, NOW - timedelta(hours=1), NOW, label)], label)],
        start=NOW - timedelta(hours=2),
        end=NOW,
        now=NOW,
        title=label,
        description=label,
    ),
    "lineage": lambda label: drawings.lineage_graph(
        nodes=[
            drawings.GraphNode(id=label, kind=label, name=label, href=label),
            drawings.GraphNode(id="other", kind=label, name=label, href="/x/"),
        ],
        edges=[drawings.GraphEdge(source=label, target="other", transformation=label)],
        title=label,
        description=label,
    ),
    "timeline": lambda label: drawings.timeline(
        spans=[drawings.Span(label=label, state=label, start=NOW - timedelta(hours=1))],
        now=NOW,
        title=label,
        description=label,
    ),
}


@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: repr(label[:12]))
@pytest.mark.parametrize("kind", HOSTILE_DRAWINGS)
def test_hostile_labels_stay_text(kind: str, label: str) -> None:
    drawing = HOSTILE_DRAWINGS[kind](label)
    printable = re.sub("[\x00\x08\ud800\ufffe\u202e]", "\N{REPLACEMENT CHARACTER}", label)
    root = check(drawing)
    assert root[0].text == (printable or None)
    assert "<script" not in drawing
    assert "\u202e" not in drawing


def test_many_nodes_are_drawn_only_near_the_focus() -> None:
    nodes = [drawings.GraphNode(id=str(n), kind="column", name=f"c{n}", is_focus=n == 500) for n in range(1000)]
    edges = [drawings.GraphEdge(source=str(n), target=str(n + 1)) for n in range(999)]
    drawing = drawings.lineage_graph(nodes=nodes, edges=edges, title="t", description="d")
    check(drawing)
    assert drawing.count('class="d-node ') == 60
    assert ">c500<" in drawing
    assert ">c529<" in drawing
    assert ">c999<" not in drawing
    assert "and 940 more that are not drawn" in drawing


def test_a_drawing_prints_itself_in_a_template() -> None:
    drawing = drawings.sparkline(values=[1, 2], title="t", description="d")
    assert type(drawing.__html__()) is str
    assert drawing.__html__() == drawing
