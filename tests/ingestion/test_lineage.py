from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from catalog.errors import InvalidInput
from catalog.lineage import EdgeToRecord, LineageGraph, NodeToRecord, record_lineage, walk
from catalog.models import FeatureServiceMember, FeatureVersion, LineageEdge, LineageNode, NodeKind, Status
from ingestion.lineage import record_group_lineage
from tests.stocked_store import make_feature, make_group, make_service

pytestmark = pytest.mark.django_db

INHERITED = {"raw_name": "Balance_mean", "raw_columns": ["Balance"], "aggregation": "mean", "formula": "mean(Balance)"}


@pytest.fixture
def balance() -> FeatureVersion:
    version = make_feature(make_group("facts"), "balance_mean", source_column="balance_mean", inherited=INHERITED)
    make_service("churn_model", version)
    record_group_lineage(version.feature.group)
    return version


@pytest.fixture
def steward() -> User:
    return User.objects.create_superuser("steward")


def named(graph: LineageGraph) -> set[tuple[str, str]]:
    return {(node.kind, node.name) for node in graph.nodes}


def test_a_feature_leads_back_to_the_raw_column_and_on_to_its_services(balance: FeatureVersion, steward: User) -> None:
    graph = walk(balance.feature, user=steward)
    assert named(graph) == {
        ("raw_table", "customer records"),
        ("raw_column", "customer records.Balance"),
        ("transformation", "step 6: Balance_mean"),
        ("source_table", "facts"),
        ("source_column", "facts.balance_mean"),
        ("feature", "customer_balance_mean_v1"),
        ("service", "churn_model"),
    }
    names = {node.id: node.name for node in graph.nodes}
    assert {(names[edge.source], names[edge.target], edge.transformation) for edge in graph.edges} == {
        ("customer records", "customer records.Balance", ""),
        ("customer records.Balance", "step 6: Balance_mean", "mean"),
        ("step 6: Balance_mean", "facts.balance_mean", "mean(Balance)"),
        ("facts", "facts.balance_mean", ""),
        ("facts.balance_mean", "customer_balance_mean_v1", ""),
        ("customer_balance_mean_v1", "churn_model", "pinned at 1.0"),
    }


def test_recording_again_changes_nothing(balance: FeatureVersion) -> None:
    before = list(LineageEdge.objects.values_list("pk", "source", "target", "transformation").order_by("pk"))
    record_group_lineage(balance.feature.group)
    assert list(LineageEdge.objects.values_list("pk", "source", "target", "transformation").order_by("pk")) == before


def test_what_a_feature_is_no_longer_made_from_is_forgotten(balance: FeatureVersion, steward: User) -> None:
    FeatureVersion.objects.filter(pk=balance.pk).update(source_column="balance", inherited={})
    FeatureServiceMember.objects.all().delete()
    record_group_lineage(balance.feature.group)
    assert named(walk(balance.feature, user=steward)) == {
        ("source_table", "facts"),
        ("source_column", "facts.balance"),
        ("feature", "customer_balance_mean_v1"),
    }


def test_an_expression_leads_to_every_column_it_reads(steward: User) -> None:
    version = make_feature(make_group("facts"), "ratio", expression="balance / salary")
    record_group_lineage(version.feature.group)
    up = walk(version.feature, depth=1, direction="up", user=steward)
    assert named(up) == {
        ("feature", "customer_ratio_v1"),
        ("source_column", "facts.balance"),
        ("source_column", "facts.salary"),
    }


def test_tables_of_the_same_name_in_two_sources_stay_two(steward: User) -> None:
    version = make_feature(make_group("facts"), "x")
    group = version.feature.group
    group.source = "crm"
    group.save()
    record_group_lineage(group)
    assert ("source_table", "crm:facts") in named(walk(version.feature, user=steward))


@pytest.mark.parametrize(("direction", "count"), [("up", 6), ("down", 2), ("both", 7)])
def test_the_direction_is_kept(balance: FeatureVersion, steward: User, direction: str, count: int) -> None:
    assert len(walk(balance.feature, direction=direction, user=steward).nodes) == count


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 3), (2, 5), (3, 6), (4, 7), (50, 7)])
def test_the_depth_bounds_the_walk(balance: FeatureVersion, steward: User, depth: int, count: int) -> None:
    assert len(walk(balance.feature, depth=depth, user=steward).nodes) == count


def test_another_depth_or_direction_is_refused(balance: FeatureVersion, steward: User) -> None:
    for options in ({"depth": -1}, {"depth": 51}, {"direction": "sideways"}):
        with pytest.raises(InvalidInput):
            walk(balance.feature, user=steward, **options)  # type: ignore[arg-type]  # wrong on purpose


def test_a_stranger_sees_nothing(balance: FeatureVersion) -> None:
    assert walk(balance.feature, user=AnonymousUser()) == LineageGraph(nodes=(), edges=())


def test_hidden_features_and_what_lies_behind_them_are_left_out(balance: FeatureVersion) -> None:
    hidden = make_feature(balance.feature.group, "hidden", source_column="balance_mean")
    hidden.feature.status = Status.ARCHIVED
    hidden.feature.save()
    keys = record_lineage(
        nodes=[
            NodeToRecord(NodeKind.SOURCE_COLUMN, "facts.balance_mean"),
            NodeToRecord(NodeKind.FEATURE, "customer_hidden_v1", feature_id=hidden.feature_id),
        ],
        edges=[EdgeToRecord(("source_column", "facts.balance_mean"), ("feature", "customer_hidden_v1"))],
    )
    assert LineageNode.objects.filter(pk__in=keys.values()).count() == 2
    viewer = User.objects.create_user("viewer")
    viewer._featurestore_capabilities = frozenset({"see_metadata"})  # type: ignore[attr-defined]  # what roles give
    graph = walk(hidden.feature, user=viewer)
    assert graph.nodes == ()


def test_queries_grow_with_the_depth_and_not_with_the_nodes(
    balance: FeatureVersion, steward: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(8):
        walk(balance.feature, user=steward)
    group = balance.feature.group
    for number in range(20):
        service = make_service(f"model_{number}", balance)
        assert service.pk
    record_group_lineage(group)
    with django_assert_num_queries(8):
        graph = walk(balance.feature, user=steward)
    assert len(graph.nodes) == 27


def test_recording_takes_as_many_queries_for_many_features_as_for_few(django_assert_max_num_queries: Any) -> None:
    group = make_group("facts")
    for number in range(40):
        make_feature(group, f"f{number}", inherited=INHERITED)
    with django_assert_max_num_queries(14):
        record_group_lineage(group)
