"""For how long a process trusts what it knows of callers and of the catalog."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import generation
from catalog.access import Role
from catalog.audit import record
from catalog.clock import now
from catalog.generation import KeptWhileUnchanged, catalog_generation
from catalog.models import AuditEvent, FeatureGroup, FeatureVersion, Status, ValueGrant
from serving import callers
from serving.models import ApiToken
from serving.tokens import issue_token, revoke_token
from tests.stocked_store import make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of what is trusted, with the times of the product."""
    clock = Clock()
    for module in (generation, callers):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(generation, "LOOK_SECONDS", 0.25)
    monkeypatch.setattr(callers, "TRUSTED_SECONDS", 0.5)
    return clock


class Events:
    """Newest events that grow by one with every look; the first look waits until it is let go."""

    def __init__(self) -> None:
        self.looks = 0
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.objects = self

    def order_by(self, _: str) -> Events:
        return self

    def values_list(self, *_: str) -> list[int]:
        self.looks += 1
        number = self.looks
        if number == 1:
            self.begun.set()
            assert self.go_on.wait(10)
        return [number]


def test_no_look_is_overtaken_by_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise what the earlier saw would be taken for the newest, and what was made from it be kept as such."""
    events = Events()
    monkeypatch.setattr(generation, "AuditEvent", events)
    monkeypatch.setattr(generation, "LOOK_SECONDS", 0.0)
    seen: list[object] = []
    threads = [threading.Thread(target=lambda: seen.append(catalog_generation())) for _ in range(2)]

    threads[0].start()
    assert events.begun.wait(10)
    threads[1].start()
    time.sleep(0.1)
    assert events.looks == 1
    events.go_on.set()
    for thread in threads:
        thread.join(10)

    assert sorted(seen) == [(1,), (2,)]  # type: ignore[type-var]  # tuples of numbers here
    assert generation._looked._seen == (2,)


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group(sensitivity="personal")
    put_online(group, "1", {"age_v1": 47})
    return group


@pytest.fixture
def age(group: FeatureGroup) -> FeatureVersion:
    version = make_feature(group, "age", "integer", default_value=1)
    record(action="create", instance=version)
    return version


@pytest.fixture
def reader() -> User:
    return make_user("reader", Role.VIEWER)


class Asking:
    def __init__(self, user: User, **token: Any) -> None:
        issued = issue_token(user=user, name="test", scopes=["read"], **token)
        self.token = issued.token
        self.client = Client(headers={"authorization": f"Token {issued.key}"})

    def __call__(self) -> tuple[int, Any]:
        body = json.dumps({"entity_id": 1, "features": ["age"]})
        answer = self.client.post("/api/v1/features/batch", body, content_type="application/json")
        return answer.status_code, answer.json().get("features", {}).get("age")


def test_a_read_that_was_made_before_costs_one_query(clock: Clock, age: FeatureVersion, reader: User) -> None:
    ask = Asking(reader)
    ask()
    clock.now += 0.1
    with CaptureQueriesContext(connection) as captured:
        assert ask() == (200, None)
    assert len(captured) == 1


def test_no_number_of_other_features_and_groups_makes_it_two(clock: Clock, age: FeatureVersion, reader: User) -> None:
    def queries() -> tuple[list[str], list[str]]:
        clock.now += 60
        ask = Asking(reader)
        found = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                assert ask()[0] == 200
            found.append([query["sql"] for query in captured])
        return found[0], found[1]

    few_first, few_then = queries()
    for number in range(20):
        other = make_group(f"other{number}")
        for feature in range(10):
            make_feature(other, f"f{number}_{feature}")
        record(action="create", instance=other)
    many_first, many_then = queries()
    assert len(many_first) == len(few_first)
    assert len(many_then) == len(few_then) == 1


def test_a_revoked_token_opens_for_half_a_second_at_most(clock: Clock, age: FeatureVersion, reader: User) -> None:
    ask = Asking(reader)
    assert ask()[0] == 200
    revoke_token(ask.token)
    clock.now += 0.5
    assert ask()[0] == 401


def test_an_expired_token_opens_no_longer_at_all(clock: Clock, age: FeatureVersion, reader: User) -> None:
    ask = Asking(reader, expires_at=now() + timedelta(hours=1))
    assert ask()[0] == 200
    for caller in list(callers._callers.values()):
        caller.token.expires_at = now()
    ApiToken.objects.update(expires_at=now())
    assert ask()[0] == 401


def test_a_user_who_left_and_a_role_that_is_taken_away(clock: Clock, age: FeatureVersion, reader: User) -> None:
    ask = Asking(reader)
    assert ask()[0] == 200
    reader.groups.remove(Group.objects.get(name=Role.VIEWER.value))
    clock.now += 0.5
    assert ask()[0] == 403
    User.objects.update(is_active=False)
    clock.now += 0.5
    assert ask()[0] == 401


def test_a_grant_that_comes_expires_and_goes(
    clock: Clock, group: FeatureGroup, age: FeatureVersion, reader: User
) -> None:
    ask = Asking(reader)
    seen = [ask()[1]]
    grant = ValueGrant.objects.create(group=group, user=reader)
    clock.now += 0.5
    seen.append(ask()[1])
    ValueGrant.objects.filter(pk=grant.pk).update(expires_at=now())
    clock.now += 0.5
    seen.append(ask()[1])
    ValueGrant.objects.filter(pk=grant.pk).update(expires_at=None)
    clock.now += 0.5
    seen.append(ask()[1])
    grant.delete()
    clock.now += 0.5
    seen.append(ask()[1])
    assert seen == [None, 47, None, 47, None]


def test_two_readers_with_other_rights_have_plans_of_their_own(clock: Clock, age: FeatureVersion, reader: User) -> None:
    plain, steward = Asking(reader), Asking(make_user("steward", Role.STEWARD))
    assert [plain()[1], steward()[1], plain()[1], steward()[1]] == [None, 47, None, 47]


def test_a_change_of_the_catalog_shows_after_a_quarter_of_a_second(
    clock: Clock, age: FeatureVersion, reader: User
) -> None:
    ask = Asking(reader)
    assert ask()[0] == 200
    age.feature.status = Status.ARCHIVED
    age.feature.save()
    record(action="archive", instance=age.feature)
    clock.now += 0.25
    assert ask()[0] == 404


def test_a_change_past_the_store_shows_after_a_few_seconds(clock: Clock, age: FeatureVersion, reader: User) -> None:
    ask = Asking(reader)
    assert ask()[0] == 200
    FeatureGroup.objects.update(status=Status.ARCHIVED)
    clock.now += 5.0
    assert ask()[0] == 404


def test_a_commit_that_comes_after_a_later_one_is_seen(clock: Clock, age: FeatureVersion) -> None:
    late = record(action="update", instance=age)
    assert late is not None
    AuditEvent.objects.filter(pk=late.pk).delete()  # not committed yet
    record(action="update", instance=age)
    before = catalog_generation()
    AuditEvent.objects.bulk_create([late])
    assert catalog_generation() == before
    clock.now += 0.25
    assert catalog_generation() != before


def test_as_much_is_kept_as_the_configuration_says(
    clock: Clock, age: FeatureVersion, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    kept: KeptWhileUnchanged[int] = KeptWhileUnchanged()
    made: list[str] = []

    def ask(key: str) -> None:
        kept.get(key, lambda: made.append(key) or 1)

    base = settings.FEATURESTORE
    room = base.serving.model_copy(update={"max_cache_size": 2})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, serving=room))
    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]
