"""The lineage as an indented list: first what it is made from, then what is made from it (pure: no Django)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.drawings import Markup

MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A node at its depth, with the tags of a nested list: ``opens`` before it, ``closes`` after it.

    ``said`` is how it is made; ``is_repeated`` that what lies behind it stands further above.
    """

    node: str
    depth: int
    said: str
    is_repeated: bool
    opens: Markup
    closes: Markup


def outline(start: Sequence[str], *, edges: Mapping[tuple[str, str], str], upward: bool) -> tuple[list[Line], bool]:
    """The tree of what ``start`` is made from (or, downward, of what is made from it); and whether it is cut.

    A node that is reached twice is told twice, and what lies behind it only once; at most MOST_LINES lines.
    """
    beside: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (source, target), said in edges.items():
        if upward:
            beside[target].append((source, said))
        else:
            beside[source].append((target, said))
    found: list[tuple[str, int, str, bool]] = []
    told: set[str] = set(start)
    stack = [(other, 0, said) for one in reversed(start) for other, said in reversed(beside[one])]
    seen_first: set[tuple[str, int]] = set()
    cut = False
    while stack:
        node, depth, said = stack.pop()
        if depth == 0 and (node, 0) in seen_first:
            continue
        seen_first.add((node, depth))
        if len(found) >= MOST_LINES:
            cut = True
            break
        repeated = node in told and bool(beside[node])
        found.append((node, depth, said, repeated))
        if node not in told:
            told.add(node)
            stack += [(other, depth + 1, how) for other, how in reversed(beside[node])]
    return _nested(found), cut


def _nested(found: Sequence[tuple[str, int, str, bool]]) -> list[Line]:
    lines = []
    before = -1
    for index, (node, depth, said, repeated) in enumerate(found):
        after = found[index + 1][1] if index + 1 < len(found) else -1
        opens = "<ul>" if depth > before else ""
        # The item stays open for what lies behind it; each list that ends also ends the item that it stands in.
        closes = "</li>" if after <= depth else ""
        closes += "</ul></li>" * min(max(depth - after, 0), depth) + ("</ul>" if after < 0 else "")
        lines.append(Line(node, depth, said, repeated, opens=Markup(opens), closes=Markup(closes)))
        before = depth
    return lines
