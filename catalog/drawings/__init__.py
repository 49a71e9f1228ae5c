"""Charts and graphs as SVG text, made on the server from a small set of primitives.

Every drawing is a function with keyword arguments that returns :class:`~catalog.drawings.svg.Markup`:
well-formed XML, labels escaped, a title and a description for those who do not see it, CSS classes only
(no style or script, so that a strict content security policy holds), and never a coordinate that is
not finite. The colours are in the style sheet, light and dark; what a colour says, a shape says too. Sizes
are capped, and what has no data is a placeholder that says why.

Each takes ``title`` and ``description`` besides:

============================ ========================================================================================
histogram                    ``edges, counts, width=480, height=160, reference=Histogram(edges, counts), mark=None``
mini_histogram               ``edges, counts, width=96, height=28, mark=None``: no axes, for cards and tables
sparkline                    ``values, width=160, height=36, threshold=None, band=(low, high), marks=[index]``
line_chart                   ``points=[Point(at, value, label, href)], shares=False, width=480, height=150,``
                             ``thresholds=[Threshold(value, label, bad="above")]``: with axes, diamonds break a level
run_strip                    ``outcomes=[Outcome(state, label, href)], height=24, places=0``: ``places=30`` for thirty
percentile_bar               ``percentiles=Percentiles(min, lower, median, upper, max), width=480, height=44,``
                             ``mark=None, labels=True``: ``mark`` is one value against them
completeness_bar             ``share, threshold=None, width=120, height=10``
top_values                   ``values=[TopValue(label, count)], total, width=480``
heat_grid                    ``rows=[Row(label, [Cell(state, label, href) | None], href)],``
                             ``columns=[Column(label, over)]``
gantt                        ``lanes=[Lane(label, [Span(label, state, start, end, href)], href, expected)],``
                             ``start, end, now, width=960``
timeline                     ``spans=[Span(label, state, start, end, href)], now, width=720``
lineage_graph                ``nodes=[GraphNode(id, kind, name, href, is_focus, rank, state, holds)],``
                             ``edges=[GraphEdge(source, target, transformation)]``
============================ ========================================================================================

The table that says the same is made by :mod:`~catalog.drawings.twins`: ``histogram_table``, ``line_table``,
``percentile_table``, ``strip_table``, ``heat_table`` and ``gantt_table`` take what the drawing took and return a
``Table(headings, rows)``, which ``catalog/components/figure.html`` shows beneath the drawing.
"""

from catalog.drawings.bars import (
    Percentiles,
    TopValue,
    completeness_bar,
    percentile_bar,
    top_values,
)
from catalog.drawings.gantt import Lane, gantt
from catalog.drawings.heat_grid import Cell, Column, Row, heat_grid
from catalog.drawings.histogram import Bin, Histogram, bins_of, histogram, mini_histogram
from catalog.drawings.line_chart import Point, Threshold, line_chart
from catalog.drawings.lineage_graph import GraphEdge, GraphNode, lineage_graph
from catalog.drawings.sparkline import sparkline
from catalog.drawings.strip import Outcome, run_strip
from catalog.drawings.svg import Markup
from catalog.drawings.timeline import Span, timeline
from catalog.drawings.twins import (
    Table,
    gantt_table,
    heat_table,
    histogram_table,
    line_table,
    percentile_table,
    strip_table,
)

__all__ = [
    "Bin",
    "Cell",
    "Column",
    "GraphEdge",
    "GraphNode",
    "Histogram",
    "Lane",
    "Markup",
    "Outcome",
    "Percentiles",
    "Point",
    "Row",
    "Span",
    "Table",
    "Threshold",
    "TopValue",
    "bins_of",
    "completeness_bar",
    "gantt",
    "gantt_table",
    "heat_grid",
    "heat_table",
    "histogram",
    "histogram_table",
    "line_chart",
    "line_table",
    "lineage_graph",
    "mini_histogram",
    "percentile_bar",
    "percentile_table",
    "run_strip",
    "sparkline",
    "strip_table",
    "timeline",
    "top_values",
]
