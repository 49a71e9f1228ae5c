"""Notes and incidents: who writes and closes them, and what the audit keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from catalog.access import Role
from catalog.actor import acting
from catalog.clock import now
from catalog.errors import Conflict, InvalidInput, PermissionDenied
from catalog.following import follow, is_following, unfollow
from catalog.journal import close_incident, write_entry
from catalog.models import AuditEvent, Feature, Follow, JournalEntry, Status
from tests.stocked_store import make_feature, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def feature() -> Feature:
    return make_feature(make_group("finance"), "balance").feature


def test_an_incident_is_open_until_it_is_closed(feature: Feature) -> None:
    sara = make_user("sara", Role.DATA_SCIENTIST)
    with acting(sara, "sara"):
        entry = write_entry(subject=feature, kind="incident", text=" Too *high* ", writer=sara)
        assert (entry.text, entry.author, entry.is_open) == ("Too *high*", "sara", True)
        assert list(JournalEntry.objects.open_incidents()) == [entry]
        closed = close_incident(entry=entry, closer=sara)
        with pytest.raises(Conflict, match="closed already"):
            close_incident(entry=entry, closer=sara)

    assert (closed.is_open, closed.closed_by) == (False, "sara")
    assert not JournalEntry.objects.open_incidents().exists()
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["create", "close"]


def test_who_may_write_and_close(feature: Feature) -> None:
    sara, other = make_user("sara", Role.DATA_SCIENTIST), make_user("otto", Role.DATA_SCIENTIST)
    engineer, viewer = make_user("enno", Role.DATA_ENGINEER), make_user("vera", Role.VIEWER)
    with pytest.raises(PermissionDenied, match="write_journal"):
        write_entry(subject=feature, text="hm", writer=viewer)
    with acting(sara, "sara"):
        entry = write_entry(subject=feature.group, kind="incident", text="late", writer=sara)
    for person in (other, viewer):
        with pytest.raises(PermissionDenied):
            close_incident(entry=entry, closer=person)

    assert JournalEntry.objects.get(pk=entry.pk).is_open
    assert not close_incident(entry=entry, closer=engineer).is_open


def test_what_an_entry_does_not_take(feature: Feature) -> None:
    engineer = make_user("enno", Role.DATA_ENGINEER)
    for wrong in (
        {"text": "  "},
        {"text": "x" * 20_001},
        {"text": "hm", "kind": "joke"},
        {"text": "hm", "at": now() + timedelta(days=1)},
    ):
        with pytest.raises(InvalidInput):
            write_entry(subject=feature, writer=engineer, **wrong)  # type: ignore[arg-type]  # what is wrong varies
    note = write_entry(subject=feature, text="fine", writer=engineer)
    with pytest.raises(Conflict, match="a note"):
        close_incident(entry=note, closer=engineer)
    assert JournalEntry.objects.count() == 1


def test_the_database_holds_what_an_entry_is(feature: Feature) -> None:
    for wrong in (
        {"text": "on nothing"},
        {"text": "on both", "feature": feature, "group": feature.group},
        {"text": "", "feature": feature},
        {"text": "a note that is closed", "feature": feature, "closed_at": now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            JournalEntry.objects.create(at=now(), author="x", **wrong)


def test_entries_are_seen_with_what_they_are_about(feature: Feature) -> None:
    engineer, viewer = make_user("enno", Role.DATA_ENGINEER), make_user("vera", Role.VIEWER)
    for subject in (feature, feature.group):
        write_entry(subject=subject, text="hm", writer=engineer)
    seen = JournalEntry.objects.visible_to

    assert (seen(viewer).count(), seen(make_user("stig")).count()) == (2, 0)
    Feature.objects.filter(pk=feature.pk).update(status=Status.ARCHIVED)
    assert (seen(viewer).count(), seen(engineer).count()) == (1, 2)


def test_following_happens_once_and_ends(feature: Feature) -> None:
    vera = make_user("vera", Role.VIEWER)
    for _ in range(2):
        follow(user=vera, subject=feature)
    follow(user=vera, subject=feature.group)

    assert Follow.objects.filter(user=vera).count() == 2
    assert is_following(user=vera, subject=feature)
    assert unfollow(user=vera, subject=feature)
    assert not unfollow(user=vera, subject=feature)
    assert not is_following(user=vera, subject=feature)
    assert is_following(user=vera, subject=feature.group)
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["follow", "follow", "unfollow"]
