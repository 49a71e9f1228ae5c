"""GET metadata/lineage and metadata/lineage/openlineage."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup, FeatureVersion, Status
from ingestion.lineage import record_group_lineage
from ingestion.models import IngestionRun, RunState
from tests.api.asking import ask, caller, error_of
from tests.pages.filled import add_run
from tests.stocked_store import make_feature, make_group, make_service

pytestmark = pytest.mark.django_db
PATH = "metadata/lineage"
EVENTS = "metadata/lineage/openlineage"
INHERITED = {"raw_name": "Balance_mean", "raw_columns": ["Balance"], "aggregation": "mean", "formula": "mean(Balance)"}


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group("facts", description="Money of customers")
    versions = [
        make_feature(group, "balance_mean", source_column="balance_mean", inherited=INHERITED),
        make_feature(group, "ratio", expression="balance / salary"),
    ]
    make_service("churn_model", *versions)
    record_group_lineage(group)
    return group


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def test_nodes_edges_and_impact(group: FeatureGroup, viewer: Client) -> None:
    status, body = ask(viewer, PATH, node="source_column:facts.balance_mean", up=1)

    assert (status, body["subject"], body["kind"]) == (200, "facts.balance_mean", "source column")
    assert {(node["kind"], node["name"], node["is_focus"]) for node in body["nodes"]} == {
        ("source_column", "facts.balance_mean", True),
        ("source_table", "facts", False),
        ("transformation", "step 6: Balance_mean", False),
        ("feature", "customer_balance_mean_v1", False),
        ("service", "churn_model", False),
    }
    assert [(one["name"], one["steps"], one["through"], one["reads"]) for one in body["impact"]] == [
        ("churn_model", 2, 1, 0),
        ("customer_balance_mean_v1", 1, 0, 0),
    ]


def test_a_failed_ingestion_is_told(group: FeatureGroup, viewer: Client) -> None:
    add_run(group, RunState.FAILED)

    body = ask(viewer, PATH, feature="ratio", only="failing")[1]

    assert {node["state"] for node in body["nodes"] if node["kind"] == "feature"} == {"failing"}
    assert {node["reason"] for node in body["nodes"]} <= {"the last ingestion of facts failed", ""}


def test_wrong_questions(group: FeatureGroup, viewer: Client) -> None:
    nobody = caller(None)
    for path in (PATH, EVENTS):
        for parameters in ({}, {"feature": "ratio", "up": 9}, {"feature": "ratio", "colour": "red"}, {"node": "x:y"}):
            assert error_of(ask(viewer, path, **parameters)) == (400, "invalid_input")
        assert error_of(ask(viewer, path, feature="nothing")) == (404, "unknown_feature")
        assert error_of(ask(viewer, path, node="service:nothing")) == (404, "not_found")
        assert error_of(ask(Client(), path, feature="ratio")) == (401, "not_authenticated")
        assert error_of(ask(nobody, path, feature="ratio")) == (403, "permission_denied")


def test_hidden_features_are_in_neither(group: FeatureGroup, viewer: Client) -> None:
    group.features.filter(name="ratio").update(status=Status.ARCHIVED)

    for path in (PATH, EVENTS):
        assert "ratio_v1" not in str(ask(viewer, path, node="source_table:facts")[1])
    assert "ratio_v1" in str(ask(caller(Role.STEWARD), EVENTS, node="source_table:facts")[1])


def by_schema(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["schemaURL"].endswith(f"/{kind}")]


def test_a_run_is_told_from_start_to_end(group: FeatureGroup, viewer: Client) -> None:
    run = add_run(group, rows_appended=52)
    FeatureVersion.objects.filter(feature__name="ratio").update(data_type="float")

    status, events = ask(viewer, EVENTS, node="source_table:facts")

    assert status == 200
    assert all({"eventTime", "producer", "schemaURL"} <= set(event) for event in events)
    start, end = by_schema(events, "RunEvent")
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"] == str(run.pk)
    assert end["job"]["name"] == "ingest facts"
    assert [one["name"] for one in end["inputs"]] == ["facts"]
    output = end["outputs"][0]
    assert output["name"] == "groups/facts"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 52
    assert [(one["name"], one["type"]) for one in output["facets"]["schema"]["fields"]] == [
        ("balance_mean_v1", "float"),
        ("ratio_v1", "float"),
    ]
    fields = output["facets"]["columnLineage"]["fields"]
    assert {(one["name"], one["field"]) for one in fields["ratio_v1"]["inputFields"]} == {
        ("facts", "balance"),
        ("facts", "salary"),
    }
    assert fields["ratio_v1"]["inputFields"][0]["transformations"] == [
        {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "balance / salary"}
    ]


def test_what_step_6_made_and_what_a_service_pins_are_datasets(group: FeatureGroup, viewer: Client) -> None:
    events = ask(viewer, EVENTS, feature="balance_mean")[1]

    told = {event["dataset"]["name"]: event["dataset"]["facets"] for event in by_schema(events, "DatasetEvent")}
    assert set(told) == {"customer records", "facts", "services/churn_model"}
    made = told["facts"]["columnLineage"]["fields"]["balance_mean"]["inputFields"]
    assert [(one["name"], one["field"]) for one in made] == [("customer records", "Balance")]
    pinned = told["services/churn_model"]["columnLineage"]["fields"]["balance_mean_v1"]["inputFields"]
    assert [(one["name"], one["field"]) for one in pinned] == [("groups/facts", "balance_mean_v1")]
    # Never ingested: the job alone is known.
    assert [event["job"]["name"] for event in by_schema(events, "JobEvent")] == ["ingest facts"]
    assert not IngestionRun.objects.exists()
