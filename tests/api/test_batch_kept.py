"""POST features/batch, when an answer is kept: the same to the byte, never older than a commit, never past its time."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.audit import record
from catalog.clock import now
from catalog.models import FeatureGroup
from serving import online_plan
from serving.api import online
from serving.entity_rows import name_entities
from serving.kept_answers import Doorkeeper
from serving.online_answers import entity_vector, feature_columns
from serving.online_plan import plan_online_read
from serving.online_reads import read_online
from serving.wire.json_bytes import json_bytes
from tests.stocked_store import DAY, client_of, make_entity, make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db

JSON = "application/json"
ASK = {"entity_ids": [1, 2], "features": ["balance_mean", "visits"]}


@pytest.fixture(autouse=True)
def all_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are kept the first time, as they otherwise are the second time (see test_batch_asked_again)."""
    monkeypatch.setattr(Doorkeeper, "meet", lambda _keeper, _visitor: True)


def sent(client: Client, body: object) -> bytes:
    response = client.post("/api/v1/features/batch", json.dumps(body), JSON)
    assert response.status_code == 200, response.content
    return response.content


def reads_rows(client: Client, body: object) -> list[bool]:
    """Per query of the online rows or their revisions, whether it reads rows."""
    with CaptureQueriesContext(connection) as captured:
        sent(client, body)
    texts = [query["sql"] for query in captured]
    return ["featurevalue" in text for text in texts if "featurevalue" in text or "onlinerevision" in text]


class TestQueries:
    def test_what_is_kept_costs_a_look_at_the_revisions(self, group: FeatureGroup, reader: Client) -> None:
        assert [reads_rows(reader, ASK) for _ in range(3)] == [[True], [False], [False]]
        assert reads_rows(reader, {**ASK, "entity_ids": [2, 1, 2]}) == [False]

    def test_what_is_not_is_read_besides(self, group: FeatureGroup, reader: Client) -> None:
        sent(reader, ASK)
        assert reads_rows(reader, {**ASK, "entity_ids": [1, 3]}) == [False, True]
        assert reads_rows(reader, {**ASK, "entity_ids": [4, 5]}) == [True]

    def test_after_a_write_all_of_the_group_is_read_again(self, group: FeatureGroup, reader: Client) -> None:
        sent(reader, ASK)
        put_online(group, "3", {"balance_mean_v1": 0.0, "visits_v1": 0})
        assert [reads_rows(reader, ASK) for _ in range(2)] == [[False, True], [False]]

    @pytest.mark.parametrize(
        ("section", "key", "value"),
        [
            ("feature_store", "cache_enabled", False),
            ("serving", "max_cache_size", 0),
            ("performance", "query_caching", False),
        ],
    )
    def test_nothing_is_kept_where_the_configuration_says_so(
        self, group: FeatureGroup, reader: Client, settings: Any, section: str, key: str, value: object
    ) -> None:
        part = getattr(settings.FEATURESTORE, section).model_copy(update={key: value})
        settings.FEATURESTORE = dataclasses.replace(settings.FEATURESTORE, **{section: part})
        first = sent(reader, ASK)
        with CaptureQueriesContext(connection) as captured:
            assert sent(reader, ASK) == first
        assert not [query for query in captured if "onlinerevision" in query["sql"]]
        assert [query for query in captured if "featurevalue" in query["sql"]]
        assert online_plan._kept.bytes() == 0


class TestNothingStale:
    def test_after_a_commit(self, group: FeatureGroup, reader: Client) -> None:
        for turn in range(5):
            put_online(group, "1", {"balance_mean_v1": 1.5, "visits_v1": turn}, event=DAY + timedelta(seconds=turn))
            for _ in range(2):
                assert json.loads(sent(reader, ASK))["results"][0]["features"]["visits"] == (turn or 2**53 + 1)

    def test_what_is_written_and_taken_back_was_never_there(self, group: FeatureGroup, reader: Client) -> None:
        before = sent(reader, ASK)

        def write(visits: int) -> None:
            put_online(group, "1", {"visits_v1": visits}, event=DAY + timedelta(seconds=1))

        with transaction.atomic():
            write(70)
            assert json.loads(sent(reader, ASK))["results"][0]["features"]["visits"] == 70
            transaction.set_rollback(True)
        assert sent(reader, ASK) == before
        write(71)
        assert json.loads(sent(reader, ASK))["results"][0]["features"]["visits"] == 71

    def test_a_mask_and_a_default_that_change(self, group: FeatureGroup, reader: Client) -> None:
        ask = {"entity_ids": [1, "nobody"], "features": ["visits"], "include_metadata": True}

        def seen() -> list[tuple[object, str]]:
            results = json.loads(sent(reader, ask))["results"]
            return [(each["features"]["visits"], each["metadata"]["visits"]["status"]) for each in results]

        feature = group.features.get(name="visits")
        record(action="create", instance=feature)
        told = [seen(), seen()]
        for version in feature.versions.all():
            version.default_value = 1
            version.save()
            record(action="update", instance=version)
        told += [seen(), seen()]
        feature.sensitivity = "personal"
        feature.save()
        record(action="update", instance=feature)
        told += [seen(), seen()]

        first, present = (2**53 + 1, "PRESENT"), "NOT_FOUND"
        assert told[:2] == [[first, (None, present)]] * 2
        assert told[2:4] == [[first, (1, present)]] * 2
        assert told[4:] == [[(None, "MASKED"), (None, present)]] * 2

    def test_readers_with_other_rights(self, group: FeatureGroup, reader: Client) -> None:
        group.sensitivity = "confidential"
        group.save()
        steward = client_of(make_user("steward", Role.STEWARD))
        seen = [json.loads(sent(client, ASK))["results"][1]["features"]["visits"] for client in [reader, steward] * 2]
        assert seen == [None, 7, None, 7]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The instant at which values are read: the only entry."""
    instant = [DAY]
    monkeypatch.setattr(online, "now", lambda: instant[0])
    return instant


class TestTime:
    def test_max_age_and_coming_events_count_to_the_microsecond(self, reader: Client, clock: list[datetime]) -> None:
        group = make_group("aged", max_age=timedelta(seconds=30))
        make_feature(group, "visits", "integer")
        put_online(group, "1", {"visits_v1": 7}, event=DAY)
        ask = {"entity_id": 1, "features": ["visits"], "include_metadata": True}
        tick = timedelta(microseconds=1)
        instants = {
            -tick: "NOT_FOUND",
            timedelta(0): "PRESENT",
            timedelta(seconds=30): "PRESENT",
            timedelta(seconds=30) + tick: "OUTSIDE_MAX_AGE",
        }

        def status(after: timedelta) -> str:
            clock[0] = DAY + after
            return str(json.loads(sent(reader, ask))["metadata"]["visits"]["status"])

        for first, then in itertools.product(instants, repeat=2):
            assert [status(first), status(then)] == [instants[first], instants[then]]
        clock[0] = DAY + timedelta(seconds=20)
        sent(reader, ask)
        clock[0] = DAY + timedelta(seconds=29)
        assert reads_rows(reader, ask) == [False]

    def test_no_answer_is_older_than_a_minute(self, group: FeatureGroup, reader: Client, clock: list[datetime]) -> None:
        clock[0] = DAY + timedelta(hours=2)
        sent(reader, ASK)
        clock[0] += timedelta(seconds=60)
        assert reads_rows(reader, ASK) == [False]
        clock[0] += timedelta(microseconds=1)
        assert reads_rows(reader, ASK) == [True]


class TestRefusals:
    """A request is looked at as a whole, whatever of it is kept."""

    @pytest.mark.parametrize(
        ("ids", "place"), [([1, True], "entity_ids[1]"), ([1, 2, None], "entity_ids[2]"), (["1", 1.5], "entity_ids[1]")]
    )
    def test_what_cannot_be_an_entity(self, group: FeatureGroup, reader: Client, ids: list[object], place: str) -> None:
        sent(reader, {**ASK, "entity_ids": [1, "1", 2]})
        response = reader.post("/api/v1/features/batch", json.dumps({**ASK, "entity_ids": ids}), JSON)
        assert response.status_code == 400
        assert response.json()["error"]["details"]["field"] == place

    def test_a_store_that_is_turned_off(self, group: FeatureGroup, reader: Client, settings: Any) -> None:
        sent(reader, ASK)
        serving = settings.FEATURESTORE.serving.model_copy(update={"online_store_enabled": False})
        settings.FEATURESTORE = dataclasses.replace(settings.FEATURESTORE, serving=serving)
        assert reader.post("/api/v1/features/batch", json.dumps(ASK), JSON).status_code == 503


def test_every_read_leaves_its_record(group: FeatureGroup, reader: Client, tmp_path: Path) -> None:
    for _ in range(3):
        sent(reader, ASK)
    lines = [line for file in tmp_path.glob("logs/access/*") for line in file.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    assert [(each["entities"], each["status"], len(each["features"])) for each in records] == [(2, 200, 2)] * 3


VALUES: dict[str, list[Any]] = {
    "float": [1.5, -0.0, 1e300, 5e-324, 1e16, None],
    "integer": [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), None],
    "string": ["", 'Zürich 客户 🙂 "\\\n\u2028', "x" * 3_000, None],
    "boolean": [True, False, None],
    "timestamp": ["2025-03-01T12:00:00.000001Z", None],
    "float_list": [[0.1, -2.5, 1e16], [], [None], None],
}
MASKS = ["null", "hash", "partial", "bucket"]
KEYS: list[Any] = [1, "1", "01", 2, 2.0, "2", "客户 🙂", 'a"b\\', 2**63 - 1, -5, "stale", "early", "nobody", 77]


def key_of(key: object) -> str:
    return str(int(key)) if isinstance(key, float) else str(key)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Features of every type, masked and with defaults, in three groups with rows of every state; their names."""
    choose = random.Random(11)
    names = []
    for number in range(3):
        group = make_group(f"g{number}", max_age=timedelta(days=30) if number else None)
        columns = {}
        for position, data_type in enumerate(VALUES):
            name = f"g{number}_{data_type}"
            names.append(name)
            default = choose.choice([None, VALUES[data_type][0]])
            hidden = {"sensitivity": "personal", "mask": MASKS[position % 4]} if number == 2 else {}
            make_feature(group, name, data_type, default_value=default, **hidden)
            columns[f"{name}_v1"] = VALUES[data_type]
        for key in KEYS:
            if choose.random() < 0.8 and key != "nobody":
                event = {"stale": DAY, "early": now() + timedelta(hours=1)}.get(str(key), now() - timedelta(days=1))
                row = {column: choose.choice(values) for column, values in columns.items() if choose.random() < 0.9}
                put_online(group, key_of(key), row, event=event, created=choose.choice([DAY, None]))
    return names


@pytest.mark.parametrize("role", [Role.VIEWER, Role.STEWARD])
def test_the_same_to_the_byte_as_without_keeping(everything: list[str], role: Role) -> None:
    user: User = make_user("asking", role)
    client = client_of(user)
    choose = random.Random(7)
    for _ in range(150):
        features = choose.choices(everything, k=choose.choice([1, 3, len(everything)]))
        features = list(dict.fromkeys(features))[:: choose.choice([1, -1])]
        ids = choose.choices(KEYS, k=choose.choice([1, 2, 30]))
        who: dict[str, Any] = choose.choice(
            [{"entity_id": ids[0]}, {"entity_ids": ids}, {"customer_id": ids[0]},
             {"entities": [{"customer_id": key} for key in ids]}]
        )  # fmt: skip
        how: dict[str, Any] = choose.choice([{}, {"include_metadata": True}, {"form": "columns"}])
        body = {**who, **how, "features": features}

        answers = {sent(client, body) for _ in range(3)}

        assert answers == {without_keeping(user, body)}, body


def test_the_same_by_the_call_of_feast(everything: list[str], reader: Client, settings: Any) -> None:
    choose = random.Random(5)
    bodies = []
    for _ in range(40):
        features = [f"{name.split('_')[0]}:{name}" for name in dict.fromkeys(choose.choices(everything, k=9))]
        bodies.append(
            {"features": features, "entities": {"customer_id": choose.choices(KEYS, k=choose.choice([1, 20]))}}
        )

    def answers() -> list[bytes]:
        return [reader.post("/get-online-features", json.dumps(body), JSON).content for body in bodies]

    first, again = answers(), answers()
    performance = settings.FEATURESTORE.performance.model_copy(update={"query_caching": False})
    settings.FEATURESTORE = dataclasses.replace(settings.FEATURESTORE, performance=performance)
    assert first == again == answers()
    assert all(b'"results"' in answer for answer in first)


def without_keeping(user: User, body: dict[str, Any]) -> bytes:
    plan = plan_online_read(user=user, features=body["features"])
    asked = name_entities(body, shapes=plan.shapes, other_fields=("features", "include_metadata", "form"))
    answer = read_online(plan=plan, entity_rows=asked.rows, at=now())
    metadata = body.get("include_metadata", False)
    if body.get("form") == "columns":
        return json_bytes(feature_columns(answer, include_metadata=metadata))
    vectors = [entity_vector(plan, entity, include_metadata=metadata) for entity in answer.entities]
    return json_bytes(vectors[0] if asked.single else {"results": vectors})


def test_entities_of_several_keys_and_several_entities(reader: Client) -> None:
    basket = make_group("baskets", entity=make_entity("basket", ("customer_id", "day")))
    make_feature(basket, "basket")
    balances = make_group("balances")
    make_feature(balances, "balance")
    for position, key in enumerate(["1|23", "12|3"]):
        put_online(basket, key, {"basket_v1": position})
    put_online(balances, "1", {"balance_v1": 9})
    asked = [{"customer_id": 1, "day": "23"}, {"day": 3, "customer_id": "12"}, {"customer_id": "1", "day": 23}]

    answers = {sent(reader, {"entities": asked, "features": ["basket", "balance"]}) for _ in range(3)}

    assert [json.loads(answer) for answer in answers] == [
        {
            "results": [
                {"entity_id": asked[0], "features": {"basket": 0, "balance": 9}},
                {"entity_id": asked[1], "features": {"basket": 1, "balance": None}},
                {"entity_id": asked[2], "features": {"basket": 0, "balance": 9}},
            ]
        }
    ]


def test_many_entities_stay_within_the_memory(group: FeatureGroup, reader: Client, settings: Any) -> None:
    performance = settings.FEATURESTORE.performance.model_copy(update={"online_answer_memory": "1MB"})
    settings.FEATURESTORE = dataclasses.replace(settings.FEATURESTORE, performance=performance)
    for start in range(0, 6_000, 1_000):
        sent(reader, {**ASK, "entity_ids": list(range(start, start + 1_000))})
        assert online_plan._kept.bytes() <= 10**6
    assert online_plan._kept.bytes() > 10**6 // 2
