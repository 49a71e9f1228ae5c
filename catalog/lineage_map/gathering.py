"""The graph that a question is about: found, known of, and narrowed to what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.access import Reader
from catalog.errors import NotFound, UnknownReference
from catalog.lineage import GraphEdge, GraphNode, LineageGraph, walk_around
from catalog.lineage_map.deprecation import deprecated, why_deprecated
from catalog.lineage_map.facts import NodeFacts, NodeState, facts_of
from catalog.lineage_map.narrowing import contracted, leading_to
from catalog.lineage_map.question import LineageQuestion
from catalog.models import Feature, LineageNode, NodeKind
from catalog.models.lineage import LineageNodeQuerySet
from catalog.references import nearest_names
from catalog.wording import gettext as _


@dataclass(frozen=True, slots=True)
class FeatureOfNode:
    """The feature behind a node of kind feature."""

    pk: int
    name: str
    group: str
    owner: str
    why_deprecated: str | None = None
    """None of one that is not."""


@dataclass(frozen=True)
class Subject:
    """What the lineage is about: a feature with its versions, or one node of any kind."""

    title: str
    kind: str
    feature: Feature | None
    nodes: LineageNodeQuerySet


@dataclass(frozen=True)
class Gathered:
    """``graph`` after narrowing; ``whole`` as it was walked. ``focus`` are the ids of what it is about."""

    subject: Subject
    graph: LineageGraph
    whole: LineageGraph
    focus: frozenset[int]
    facts: dict[int, NodeFacts]
    features: dict[int, FeatureOfNode]

    def state_of(self, node: int) -> NodeState:
        facts = self.facts.get(node)
        return NodeState.FINE if facts is None else facts.state


def gather(question: LineageQuestion, *, user: Reader) -> Gathered:
    """The lineage that is asked for, as far as ``user`` may see it.

    :raises UnknownReference: when there is no such feature; details["nearest"] has names that are alike.
    :raises NotFound: when there is no such node.
    """
    subject = _subject(question, user=user)
    whole = walk_around(subject.nodes, up=question.up, down=question.down, user=user)
    feature = subject.feature
    focus = frozenset(
        node.id
        for node in whole.nodes
        if (feature is not None and node.feature_id == feature.pk)
        or (feature is None and (node.kind, node.name) == question.kind_and_name)
    )
    features = _features_of(whole)
    reasons = {node: one.why_deprecated for node, one in features.items()}
    facts = facts_of(whole.nodes, user=user)
    for node, told in deprecated(whole.nodes, reasons=reasons, user=user).items():
        facts[node] = facts[node].beside(told) if node in facts else told
    return Gathered(
        subject=subject,
        graph=_narrowed(whole, question, focus=focus, facts=facts),
        whole=whole,
        focus=focus,
        facts=facts,
        features=features,
    )


def _subject(question: LineageQuestion, *, user: Reader) -> Subject:
    if question.node:
        kind, name = question.kind_and_name
        nodes = LineageNode.objects.visible_to(user).filter(kind=kind, name=name)
        return Subject(title=name, kind=str(NodeKind(kind).label), feature=None, nodes=nodes)
    named = Feature.objects.visible_to(user).filter(name=question.feature).select_related("group", "entity")
    found = (named.filter(group__name=question.group) if question.group else named).order_by("entity__name", "pk")
    feature = found.first()
    if feature is None:
        near = nearest_names(question.feature, user=user)
        raise UnknownReference(
            _("there is no feature %(feature)r") % {"feature": question.feature}, details={"nearest": near}
        )
    nodes = LineageNode.objects.filter(feature=feature)
    return Subject(title=feature.name, kind=str(NodeKind.FEATURE.label), feature=feature, nodes=nodes)


def require_known(found: Gathered, question: LineageQuestion) -> None:
    """Refuse a node that there is not; a feature that has no lineage yet is another matter.

    :raises NotFound: when ``question`` names a node that is not in the lineage, or that the reader may not know of.
    """
    if question.node and not found.focus:
        raise NotFound(
            _("there is no %(kind)s %(title)r in the lineage")
            % {"kind": found.subject.kind, "title": found.subject.title}
        )


def _narrowed(
    graph: LineageGraph, question: LineageQuestion, *, focus: frozenset[int], facts: dict[int, NodeFacts]
) -> LineageGraph:
    edges = {(edge.source, edge.target): edge.transformation for edge in graph.edges}
    kept = {node.id for node in graph.nodes}
    if question.only_failing:
        wrong = {node.id for node in graph.nodes if node.id in facts and facts[node.id].state.is_wrong}
        kept = leading_to(wrong, focus=focus, pairs=list(edges))
    if question.kinds:
        kept &= {node.id for node in graph.nodes if node.kind in question.kinds} | focus
    if len(kept) == len(graph.nodes):
        return graph
    return LineageGraph(
        nodes=tuple(node for node in graph.nodes if node.id in kept),
        edges=tuple(
            GraphEdge(source=source, target=target, transformation=transformation)
            for (source, target), transformation in contracted(edges, kept=kept).items()
        ),
        truncated=graph.truncated,
    )


_TOLD = ("name", "owner", "status", "status_reason", "group__name", "group__owner", "group__status")


def _features_of(graph: LineageGraph) -> dict[int, FeatureOfNode]:
    behind = {node.id: node.feature_id for node in graph.nodes if node.feature_id is not None}
    rows = Feature.objects.filter(pk__in=set(behind.values())).select_related("group")
    known = {
        feature.pk: FeatureOfNode(
            pk=feature.pk,
            name=feature.name,
            group=feature.group.name,
            owner=feature.effective_owner,
            why_deprecated=why_deprecated(feature),
        )
        for feature in rows.only(*_TOLD)
    }
    return {node: known[pk] for node, pk in behind.items() if pk in known}


def label_of(node: GraphNode, features: dict[int, FeatureOfNode]) -> str:
    """How a node is called where its kind and origin stand beside it.

    A dataset without its id, a column without its table, a feature by its name and major version.
    """
    if node.kind == NodeKind.DATASET:
        return node.name.rpartition("/")[0] or node.name
    if node.kind in (NodeKind.RAW_COLUMN, NodeKind.SOURCE_COLUMN):
        return node.name.rpartition(".")[2]
    if node.id in features:
        major = node.name.rpartition("_v")[2]
        return f"{features[node.id].name} v{major}" if major.isdigit() else features[node.id].name
    return node.name


def origin_of(node: GraphNode, features: dict[int, FeatureOfNode]) -> str:
    """The group of a feature, the table of a column; empty for the rest."""
    if node.id in features:
        return features[node.id].group
    return node.name.rpartition(".")[0] if node.kind in (NodeKind.RAW_COLUMN, NodeKind.SOURCE_COLUMN) else ""
