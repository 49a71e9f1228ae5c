"""What the apps above the catalog know of nodes of the lineage: what is wrong with them, and how much they are used.

An app registers its provider in ``AppConfig.ready``, as it does its panels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from catalog.access import Reader
from catalog.contributions import load_contributions
from catalog.lineage import GraphNode


class NodeState(StrEnum):
    """What is wrong with a node; nothing is the empty text."""

    FINE = ""
    DEPRECATED = "deprecated"  # it is not to be built on any more
    LATE = "late"  # its newest value is older than was promised
    FAILING = "failing"  # its last run failed, or its last check fell short

    @property
    def is_wrong(self) -> bool:
        """Whether something is to be mended: what is deprecated is so on purpose."""
        return self in (NodeState.LATE, NodeState.FAILING)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """``reads`` of its values and by how many ``callers`` in the last thirty days; None where nobody counts them."""

    state: NodeState = NodeState.FINE
    reason: str = ""
    reads: int | None = None
    callers: int | None = None
    href: str = ""

    def beside(self, other: NodeFacts) -> NodeFacts:
        """Both together; of two states the worse, with its reason."""
        worse = other if _HARM[other.state] > _HARM[self.state] else self
        return NodeFacts(
            state=worse.state,
            reason=worse.reason,
            reads=self.reads if other.reads is None else other.reads,
            callers=self.callers if other.callers is None else other.callers,
            href=self.href or other.href,
        )


_HARM = {NodeState.FINE: 0, NodeState.DEPRECATED: 1, NodeState.LATE: 2, NodeState.FAILING: 3}
Provider = Callable[[Sequence[GraphNode], Reader], Mapping[int, NodeFacts]]
_providers: list[Provider] = []


def register_facts(provider: Provider) -> None:
    """Ask ``provider`` too; the same one only once. Its number of queries must not grow with the nodes."""
    if provider not in _providers:
        _providers.append(provider)


def facts_of(nodes: Iterable[GraphNode], *, user: Reader) -> dict[int, NodeFacts]:
    """What is known of each of ``nodes``, by id; those that nobody knows anything of are left out."""
    load_contributions()
    asked = list(nodes)
    known: dict[int, NodeFacts] = {}
    for provider in _providers:
        for node, facts in provider(asked, user).items():
            known[node] = known[node].beside(facts) if node in known else facts
    return known
