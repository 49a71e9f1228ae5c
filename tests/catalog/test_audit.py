"""The audit: who did what, on which request, and what it was before and after."""

from __future__ import annotations

import contextvars
from datetime import timedelta

import pytest
from django.db import transaction

from catalog.actor import SYSTEM, act_as, acting, current_actor
from catalog.audit import record, snapshot
from catalog.models import AuditEvent
from tests.stocked_store import make_feature, make_group, make_user

pytestmark = pytest.mark.django_db


def test_an_event_says_who_what_and_where() -> None:
    group = make_group("finance")
    user = make_user("ada")

    with acting(user, "ada (API)", request_id="r-1"):
        event = record(
            action="change group", instance=group, before={"owner": "x", "a": 1}, after={"owner": "y", "a": 1}
        )

    assert event == AuditEvent.objects.get()
    assert event is not None
    assert (event.actor, event.user_id, event.request_id, event.action) == ("ada (API)", user.pk, "r-1", "change group")
    assert (event.object_type, event.object_id, event.object_name) == ("featuregroup", str(group.pk), "finance")
    assert (event.before, event.after) == ({"owner": "x"}, {"owner": "y"})


def test_what_did_not_change_leaves_no_event() -> None:
    assert record(action="change", instance=make_group(), before={"owner": "x"}, after={"owner": "x"}) is None
    assert not AuditEvent.objects.exists()


def test_what_came_and_what_went_is_kept_whole() -> None:
    group = make_group()
    made = record(action="make", instance=group, after={"owner": "x"})
    gone = record(action="delete", instance=group, before={"owner": "x"})
    changed = record(action="change", instance=group, before={"a": 1}, after={"b": None})

    assert made is not None
    assert gone is not None
    assert changed is not None
    assert (made.before, made.after) == (None, {"owner": "x"})
    assert (gone.before, gone.after) == ({"owner": "x"}, None)
    assert (changed.before, changed.after) == ({"a": 1}, {})


def test_an_event_lives_and_dies_with_its_change() -> None:
    group = make_group()
    with transaction.atomic():
        record(action="change", instance=group, after={"owner": "x"})
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_a_snapshot_can_be_kept_as_json() -> None:
    group = make_group(max_age=timedelta(days=30), owner="x", key_map={"a": "b"})
    version = make_feature(group, "x", categories=["a", None])
    group.refresh_from_db()

    whole = snapshot(group)
    assert whole["max_age"] == "30 00:00:00"
    assert whole["entity"] == group.entity_id
    assert whole["key_map"] == {"a": "b"}
    assert record(action="make", instance=group, after=whole) is not None
    assert AuditEvent.objects.get().after == whole
    assert snapshot(group, ["owner", "retention"]) == {"owner": "x", "retention": ""}
    assert snapshot(version, ["categories"]) == {"categories": ["a", None]}


class TestActors:
    def test_is_the_system_unless_told(self) -> None:
        assert current_actor() == SYSTEM
        record(action="clean", instance=make_group())
        assert (AuditEvent.objects.get().actor, AuditEvent.objects.get().user_id) == ("system", None)

    def test_nest_and_end(self) -> None:
        with acting(None, "outer", request_id="r"):
            with acting(None, "inner"):
                assert (current_actor().name, current_actor().request_id) == ("inner", "")
            assert (current_actor().name, current_actor().request_id) == ("outer", "r")
        assert current_actor() == SYSTEM

    def test_end_also_when_the_work_fails(self) -> None:
        with pytest.raises(RuntimeError), acting(None, "outer"):
            raise RuntimeError
        assert current_actor() == SYSTEM

    def test_a_caller_known_later_keeps_the_request(self) -> None:
        user = make_user("ada")
        with acting(None, "stranger", request_id="r"):
            act_as(user, "ada")
            assert (current_actor().name, current_actor().user_id, current_actor().request_id) == ("ada", user.pk, "r")
        assert current_actor() == SYSTEM

    def test_other_work_has_its_own(self) -> None:
        with acting(None, "here"):
            assert contextvars.Context().run(current_actor) == SYSTEM
