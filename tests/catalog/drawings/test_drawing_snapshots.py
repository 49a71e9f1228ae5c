"""The drawings as they are, kept as files that a browser opens.

``SNAPSHOT_UPDATE=1 pytest tests/catalog/drawings`` writes them anew; look at them before you commit.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import drawings

SNAPSHOTS = Path(__file__).parent / "snapshots"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


HISTORY = [
    drawings.Point(at=NOW - timedelta(days=4 - at), value=value, label=f"run {at}", href=f"/runs/{at}/")
    for at, value in enumerate([0.02, 0.08, None, 0.31, 0.12])
]
LEVELS = [drawings.Threshold(0.2, "threshold")]
CALENDAR = [drawings.Column("28", "Feb"), drawings.Column("1", "Mar"), drawings.Column("2", "Mar")]
DAYS = [
    drawings.Row("finance", [drawings.Cell("good", "28 Feb: passed", "/runs/1/"), None, None], "/groups/finance/"),
    drawings.Row("sales", [drawings.Cell(state, state) for state in ("warn", "bad", "late")]),
    drawings.Row("people", [None, None, drawings.Cell("running", "2 Mar: running")]),
]
LANES = [
    drawings.Lane(
        "finance",
        [
            drawings.Span("ingestion", "succeeded", NOW - timedelta(hours=9), NOW - timedelta(hours=8), "/runs/1/"),
            drawings.Span("ingestion", "failed", NOW - timedelta(hours=3), NOW - timedelta(hours=2, minutes=58)),
        ],
        "/groups/finance/",
    ),
    drawings.Lane("sales", [drawings.Span("ingestion", "running", NOW - timedelta(minutes=30))], None, [NOW]),
]


def small_lineage() -> str:
    names = ("raw.customers", "balance", "step 6: mean", "balance_mean", "churn_model")
    kinds = ("table", "column", "transformation", "feature", "service")
    nodes = [
        drawings.GraphNode(
            id=name,
            kind=kind,
            name=name,
            href=f"/x/{at}/" if at > 2 else None,
            is_focus=name == "balance_mean",
        )
        for at, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    ends = [
        *zip(names, names[1:], strict=False),
        ("raw.customers", "balance_mean"),
        ("churn_model", "balance"),
    ]
    edges = [drawings.GraphEdge(source=a, target=b, transformation="AVG(balance)") for a, b in ends]
    return drawings.lineage_graph(nodes=nodes, edges=edges, title="Lineage", description="From table to model.")


DRAWINGS: dict[str, Callable[[], str]] = {
    "histogram": lambda: drawings.histogram(
        edges=[0, 10, 20, 30, 40],
        counts=[5, 20, 0, 12345],
        title="Balance",
        description="Four bins.",
        mark=31,
    ),
    "histogram_with_reference": lambda: drawings.histogram(
        edges=[0, 1, 2],
        counts=[1, 3],
        title="Now and then",
        description="Two bins.",
        reference=drawings.Histogram(edges=[0, 1, 2], counts=[30, 10]),
    ),
    "histogram_of_one_value": lambda: drawings.histogram(
        edges=[5, 5], counts=[7], title="Constant", description="All values are 5."
    ),
    "histogram_without_values": lambda: drawings.histogram(edges=[], counts=[], title="Empty", description="Nothing."),
    "sparkline_with_gap": lambda: drawings.sparkline(
        values=[0.9, 0.95, None, 0.7, 0.97], threshold=0.95, title="Completeness", description="Five runs."
    ),
    "run_strip": lambda: drawings.run_strip(
        outcomes=[
            drawings.Outcome(state="succeeded", label="run 1"),
            drawings.Outcome(state="failed", label="run 2", href="/runs/2/"),
            drawings.Outcome(state="running", label="run 3"),
        ],
        title="Runs",
        description="Three runs.",
    ),
    "top_values": lambda: drawings.top_values(
        values=[drawings.TopValue("France", 5014), drawings.TopValue("Spain", 2477)],
        total=10_000,
        title="Geography",
        description="Two values and the rest.",
    ),
    "completeness_bar": lambda: drawings.completeness_bar(
        share=0.93, threshold=0.95, title="93% complete", description="Below 95%."
    ),
    "percentile_bar": lambda: drawings.percentile_bar(
        percentiles=drawings.Percentiles(0, 0, 97_198.54, 127_644.24, 250_898.09),
        title="Percentiles",
        description="Of balance.",
    ),
    "percentile_bar_with_mark": lambda: drawings.percentile_bar(
        percentiles=drawings.Percentiles(1, 2, 3, 4, 9), mark=12, title="Duration", description="Longer than all."
    ),
    "percentile_bar_in_a_table": lambda: drawings.percentile_bar(
        percentiles=drawings.Percentiles(1, 2, 3, 4, 9),
        mark=3.5,
        labels=False,
        width=120,
        height=20,
        title="Duration",
        description="As usual.",
    ),
    "mini_histogram": lambda: drawings.mini_histogram(
        edges=[0, 10, 20, 30, 40], counts=[5, 20, 0, 40], mark=25, title="Balance", description="Four bins."
    ),
    "sparkline_with_band_and_marks": lambda: drawings.sparkline(
        values=[0.9, 0.95, 0.93, 0.7, 0.97],
        band=(0.88, 0.96),
        marks=[3],
        title="Completeness",
        description="Five runs.",
    ),
    "strip_of_seven": lambda: drawings.run_strip(
        outcomes=[drawings.Outcome(state=one, label=one) for one in ("pass", "warn", "reject", "fail")],
        places=7,
        title="Rule",
        description="Four of seven.",
    ),
    "line_chart": lambda: drawings.line_chart(
        points=HISTORY, thresholds=LEVELS, title="Drift", description="Five runs."
    ),
    "line_chart_of_shares": lambda: drawings.line_chart(
        points=HISTORY[:2],
        thresholds=[drawings.Threshold(0.05, "least", bad="below")],
        shares=True,
        title="Completeness",
        description="Two runs.",
    ),
    "heat_grid": lambda: drawings.heat_grid(rows=DAYS, columns=CALENDAR, title="Quality", description="Three days."),
    "gantt": lambda: drawings.gantt(
        lanes=LANES, start=NOW - timedelta(days=1), end=NOW, now=NOW, title="Last day", description="Two groups."
    ),
    "lineage_graph": small_lineage,
    "lineage_graph_in_ranks": lambda: drawings.lineage_graph(
        nodes=[
            drawings.GraphNode(id="t", kind="source_table", name="sales", rank=0, href="/t/"),
            drawings.GraphNode(id="c", kind="source_column", name="12 columns", rank=1, holds=12, href="?expand=c"),
            drawings.GraphNode(id="f", kind="feature", name="balance", rank=2, state="failing", is_focus=True),
            drawings.GraphNode(id="g", kind="feature", name="late_one", rank=2, state="late"),
            drawings.GraphNode(id="s", kind="service", name="model", rank=3),
        ],
        edges=[drawings.GraphEdge(source=a, target=b) for a, b in ("tc", "cf", "fs", "gs")],
        title="Lineage",
        description="In ranks.",
    ),
    "timeline": lambda: drawings.timeline(
        spans=[
            drawings.Span("extract", "succeeded", NOW - timedelta(minutes=9), NOW - timedelta(minutes=6)),
            drawings.Span("append", "running", NOW - timedelta(minutes=6)),
        ],
        now=NOW,
        title="Run 7",
        description="Two steps.",
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing_is_as_it_was(name: str) -> None:
    path = SNAPSHOTS / f"{name}.svg"
    drawn = DRAWINGS[name]().replace("><", ">\n<") + "\n"
    if os.environ.get("SNAPSHOT_UPDATE"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def test_the_tables_say_the_same() -> None:
    assert drawings.line_table(points=HISTORY, thresholds=LEVELS).rows == [
        ("2026-03-01 12:00 UTC", "0.12", "kept", "run 4"),
        ("2026-02-28 12:00 UTC", "0.31", "above threshold", "run 3"),
        ("2026-02-27 12:00 UTC", "–", "", "run 2"),
        ("2026-02-26 12:00 UTC", "0.08", "kept", "run 1"),
        ("2026-02-25 12:00 UTC", "0.02", "kept", "run 0"),
    ]
    heat = drawings.heat_table(rows=DAYS, columns=CALENDAR)
    assert heat.headings == ("", "Feb 28", "Mar 1", "Mar 2")
    assert heat.rows[:2] == [("finance", "good", "–", "–"), ("sales", "warn", "bad", "late")]
    assert drawings.gantt_table(lanes=LANES, now=NOW).rows[0] == (
        "sales", "ingestion", "running", "2026-03-01 11:30 UTC", "1,800.0 s",
    )  # fmt: skip
    same = drawings.histogram_table(
        edges=[0, 1, 2], counts=[1, 3], reference=drawings.Histogram(edges=[0, 1, 2], counts=[30, 10])
    )
    assert same.rows == [("0 to 1", "1", "25%", "75%"), ("1 to 2", "3", "75%", "25%")]
    other = drawings.histogram_table(edges=[0, 2], counts=[4], reference=drawings.Histogram(edges=[0, 1], counts=[1]))
    assert other.rows == [("0 to 2", "4", "100%", "–"), ("0 to 1", "–", "–", "100%")]
    bar = drawings.percentile_table(percentiles=drawings.Percentiles(0, 1, 2, 3, 4), mark=7)
    assert [row[1] for row in bar.rows] == ["0", "1", "2", "3", "4", "7"]
    assert drawings.strip_table(outcomes=[drawings.Outcome("pass", "a"), drawings.Outcome("fail", "b")]).rows == [
        ("fail", "b"),
        ("pass", "a"),
    ]


def test_every_snapshot_is_drawn() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.svg")} == set(DRAWINGS)


def test_the_same_input_draws_the_same() -> None:
    assert all(draw() == draw() for draw in DRAWINGS.values())
