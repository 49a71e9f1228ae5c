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
    "lineage_graph": small_lineage,
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


def test_every_snapshot_is_drawn() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.svg")} == set(DRAWINGS)


def test_the_same_input_draws_the_same() -> None:
    assert all(draw() == draw() for draw in DRAWINGS.values())
