"""What runs and checks say about nodes of the lineage: which are failing, and which are late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import OuterRef, Q, QuerySet, Subquery

from catalog.access import Reader
from catalog.clock import now
from catalog.lineage import GraphNode
from catalog.lineage_map.facts import NodeFacts, NodeState, register_facts
from catalog.models import Feature, FeatureGroup, NodeKind
from catalog.terms import word_of
from catalog.wording import gettext as _
from ingestion.lineage import source_table_name
from ingestion.models import IngestionRun, RunKind, RunState, ValidationReport


def register_lineage_facts() -> None:
    """Let lineage pages say what is failing and late."""
    register_facts(failing_and_late)


def failing_and_late(nodes: Sequence[GraphNode], user: Reader) -> Mapping[int, NodeFacts]:
    """The state of features and source tables, by node. No message is told, as messages may quote values.

    Failing: the group's last ingestion failed, or the feature fell short in the newest check. Late: the newest value of
    the group is older than its freshness allows.
    """
    features = _features(nodes)
    tables = {node.name: node.id for node in nodes if node.kind == NodeKind.SOURCE_TABLE}
    visible = _groups(features.values(), list(tables)).filter(pk__in=FeatureGroup.objects.visible_to(user))
    groups = {group.pk: group for group in visible}
    short = _fell_short(groups.values())
    facts: dict[int, NodeFacts] = {}
    for node in nodes:
        feature = features.get(node.feature_id or 0)
        if feature is not None and feature.group_id in groups:
            facts[node.id] = _of_feature(feature, groups[feature.group_id], short)
    for group in groups.values():
        node_id = tables.get(source_table_name(group))
        if node_id is not None:
            own = _of_group(group)
            facts[node_id] = own.beside(facts[node_id]) if node_id in facts else own
    return facts


def _features(nodes: Sequence[GraphNode]) -> dict[int, Feature]:
    wanted = {node.feature_id for node in nodes if node.feature_id is not None}
    found = Feature.objects.filter(pk__in=wanted).select_related("default_version")
    return {
        feature.pk: feature for feature in found.only("name", "group_id", "status", "default_version__source_problem")
    }


def _groups(features: Iterable[Feature], tables: Sequence[str]) -> QuerySet[FeatureGroup]:
    """The groups of the features and those that read the tables, with how their last ingestion and check went."""
    runs = IngestionRun.objects.filter(group=OuterRef("pk"), kind=RunKind.INGEST).exclude(
        state__in=(RunState.CANCELLED, RunState.QUEUED, RunState.RUNNING)
    )
    newest = ValidationReport.objects.filter(group=OuterRef("pk")).order_by("-created_at", "-id")
    names = [name.rpartition(":")[2] for name in tables]
    wanted = Q(pk__in={feature.group_id for feature in features}) | Q(source_table__in=names)
    return (
        FeatureGroup.objects.ingested()
        .filter(wanted)
        .select_related("materialized")
        .annotate(
            last_state=Subquery(runs.order_by("-created_at", "-id").values("state")[:1]),
            newest_passed=Subquery(newest.values("passed")[:1]),
            newest_shortfalls=Subquery(newest.values("shortfalls")[:1]),
        )
    )


def _fell_short(groups: Iterable[FeatureGroup]) -> dict[tuple[int, str], list[str]]:
    """By group and feature name, the rules that the newest report names."""
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    for group in groups:
        if getattr(group, "newest_passed", None) is False:
            for one in getattr(group, "newest_shortfalls", None) or ():
                if one.get("feature"):
                    rule = word_of(str(one.get("rule") or _("a rule")))
                    found[group.pk, one["feature"]].append(rule.replace("_", " "))
    return found


def _of_feature(feature: Feature, group: FeatureGroup, short: Mapping[tuple[int, str], list[str]]) -> NodeFacts:
    version = feature.default_version
    if version is not None and version.source_problem:
        return NodeFacts(NodeState.FAILING, _("its source gives no values"))
    rules = short.get((group.pk, feature.name))
    if rules:
        named = ", ".join(dict.fromkeys(rules))
        return NodeFacts(NodeState.FAILING, _("fell short in the newest check: %(rules)s") % {"rules": named})
    return _of_group(group)


def _of_group(group: FeatureGroup) -> NodeFacts:
    if getattr(group, "last_state", None) == RunState.FAILED:
        return NodeFacts(NodeState.FAILING, _("the last ingestion of %s failed") % group.name)
    newest = getattr(getattr(group, "materialized", None), "newest_event", None)
    if newest is not None and group.freshness is not None and now() - newest > group.freshness:
        return NodeFacts(NodeState.LATE, _("%s is older than its freshness allows") % group.name)
    return NodeFacts()
