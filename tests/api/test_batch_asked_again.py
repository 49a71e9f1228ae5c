"""POST features/batch: an answer is kept when it is asked for the second time."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import FeatureGroup
from serving import online_plan
from tests.stocked_store import put_online

pytestmark = pytest.mark.django_db

LOOK, ROWS, ROWS_WITH_LOOK = "a look at the revisions", "rows", "rows with a look"


def queries(client: Client, *ids: int) -> list[str]:
    """What a read of these entities asks the database for."""
    body = {"entity_ids": ids, "features": ["balance_mean", "visits"]}
    with CaptureQueriesContext(connection) as captured:
        response = client.post("/api/v1/features/batch", json.dumps(body), "application/json")
    assert response.status_code == 200
    assert [each["entity_id"] for each in response.json()["results"]] == list(ids)
    kinds = {(True, False): ROWS, (True, True): ROWS_WITH_LOOK, (False, True): LOOK}
    asked = [("featurevalue" in query["sql"], "onlinerevision" in query["sql"]) for query in captured]
    return [kinds[each] for each in asked if each in kinds]


def test_an_answer_is_kept_the_second_time(group: FeatureGroup, reader: Client) -> None:
    assert queries(reader, 1) == [ROWS]
    assert online_plan._kept.bytes() == 0
    assert queries(reader, 1) == [ROWS_WITH_LOOK]
    assert online_plan._kept.bytes() > 0
    assert queries(reader, 1) == [LOOK]


def test_of_several_only_those_asked_again(group: FeatureGroup, reader: Client) -> None:
    assert queries(reader, 1, 2) == [ROWS]
    assert queries(reader, 2, 3) == [ROWS_WITH_LOOK]
    assert queries(reader, 2) == [LOOK]
    assert queries(reader, 1, 2, 3) == [LOOK, ROWS]
    assert queries(reader, 3, 1) == [LOOK]
    assert queries(reader, 4, 1) == [LOOK, ROWS]
    assert queries(reader, 5) == [ROWS]


def test_what_was_kept_is_kept_again_after_a_write(group: FeatureGroup, reader: Client) -> None:
    for _ in range(2):
        queries(reader, 1)
    put_online(group, "3", {"balance_mean_v1": 0.0, "visits_v1": 0})
    assert [queries(reader, 1) for _ in range(2)] == [[LOOK, ROWS], [LOOK]]
