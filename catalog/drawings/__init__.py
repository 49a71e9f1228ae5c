"""Charts and graphs as SVG text, made on the server from a small set of primitives.

Every drawing is a function with keyword arguments that returns :class:`~catalog.drawings.svg.Markup`:
well-formed XML, labels escaped, a title and a description for those who do not see it, CSS classes only
(no style or script, so that a strict content security policy holds), and never a coordinate that is
not finite. The colours are in the style sheet.
"""

from catalog.drawings.bars import (
    Percentiles,
    TopValue,
    completeness_bar,
    percentile_bar,
    top_values,
)
from catalog.drawings.histogram import Bin, Histogram, bins_of, histogram
from catalog.drawings.lineage_graph import GraphEdge, GraphNode, lineage_graph
from catalog.drawings.sparkline import sparkline
from catalog.drawings.strip import Outcome, run_strip
from catalog.drawings.svg import Markup
from catalog.drawings.timeline import Span, timeline

__all__ = [
    "Bin",
    "GraphEdge",
    "GraphNode",
    "Histogram",
    "Markup",
    "Outcome",
    "Percentiles",
    "Span",
    "TopValue",
    "bins_of",
    "completeness_bar",
    "histogram",
    "lineage_graph",
    "percentile_bar",
    "run_strip",
    "sparkline",
    "timeline",
    "top_values",
]
