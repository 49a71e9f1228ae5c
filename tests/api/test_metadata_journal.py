"""metadata/journal and metadata/follows."""

from __future__ import annotations

import pytest

from catalog.access import Role
from catalog.models import Feature, Follow, JournalEntry, Status
from tests.api.asking import ask, caller, error_of, send
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def balance() -> Feature:
    return make_feature(make_group("finance"), "balance_mean").feature


def test_an_incident_is_opened_listed_and_closed() -> None:
    scientist = caller(Role.DATA_SCIENTIST)
    body = {"feature": "balance_mean", "kind": "incident", "text": "Zero for Spain", "at": "2025-03-01T00:00:00Z"}

    status, made = send(scientist, "POST", "metadata/journal", body)

    assert status == 201
    assert {name: made[name] for name in ("feature", "group", "kind", "text", "is_open", "author", "at")} == {
        "feature": "finance:balance_mean",
        "group": None,
        "kind": "incident",
        "text": "Zero for Spain",
        "is_open": True,
        "author": "some-data-scientist",
        "at": "2025-03-01T00:00:00Z",
    }
    assert ask(scientist, f"metadata/journal/{made['id']}") == (200, made)
    assert ask(scientist, "metadata/journal", open="true")[1]["results"] == [made]
    status, closed = send(scientist, "POST", f"metadata/journal/{made['id']}/close")
    assert (status, closed["is_open"], closed["closed_by"]) == (200, False, "some-data-scientist")
    assert error_of(send(scientist, "POST", f"metadata/journal/{made['id']}/close")) == (409, "conflict")
    assert ask(scientist, "metadata/journal", open="true")[1]["count"] == 0
    assert ask(scientist, "metadata/journal", kind="incident", feature="balance_mean")[1]["count"] == 1


def test_a_note_on_a_group() -> None:
    status, made = send(caller(Role.DATA_ENGINEER), "POST", "metadata/journal", {"group": "finance", "text": "moved"})
    assert (status, made["group"], made["feature"], made["kind"], made["is_open"]) == (
        201,
        "finance",
        None,
        "note",
        False,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"text": "on nothing"},
        {"feature": "balance_mean", "group": "finance", "text": "on both"},
        {"feature": "balance_mean"},
        {"feature": "balance_mean", "text": "x", "kind": "joke"},
        {"feature": "balance_mean", "text": "x", "at": "2999-01-01T00:00:00Z"},
        {"feature": "balance_mean", "text": "x", "txet": "y"},
    ],
)
def test_what_is_no_entry_is_refused(body: dict[str, str]) -> None:
    assert error_of(send(caller(Role.DATA_ENGINEER), "POST", "metadata/journal", body)) == (400, "invalid_input")
    assert not JournalEntry.objects.exists()


def test_who_may_what(balance: Feature) -> None:
    viewer, stranger, nobody = caller(Role.VIEWER), caller(None), caller(Role.VIEWER, "reader", writing=False)
    body = {"feature": "balance_mean", "text": "hm"}
    send(caller(Role.DATA_ENGINEER), "POST", "metadata/journal", body)

    assert error_of(send(viewer, "POST", "metadata/journal", body)) == (403, "permission_denied")
    assert error_of(ask(stranger, "metadata/journal")) == (403, "permission_denied")
    assert error_of(send(nobody, "PUT", "metadata/features/balance_mean/follow")) == (403, "permission_denied")
    assert ask(viewer, "metadata/journal")[1]["count"] == 1
    Feature.objects.filter(pk=balance.pk).update(status=Status.ARCHIVED)
    assert ask(viewer, "metadata/journal")[1]["count"] == 0
    assert JournalEntry.objects.count() == 1


def test_following_a_feature_and_a_group() -> None:
    viewer, other = caller(Role.VIEWER, "vera"), caller(Role.VIEWER, "otto")

    assert send(viewer, "PUT", "metadata/features/balance_mean/follow")[1]["feature"] == "finance:balance_mean"
    assert send(viewer, "PUT", "metadata/groups/finance/follow")[1]["group"] == "finance"
    assert [(row["feature"], row["group"]) for row in ask(viewer, "metadata/follows")[1]["results"]] == [
        (None, "finance"),
        ("finance:balance_mean", None),
    ]
    assert ask(other, "metadata/follows")[1]["count"] == 0
    for path in ("metadata/features/balance_mean/follow", "metadata/groups/finance/follow"):
        for _ in range(2):
            assert send(viewer, "DELETE", path) == (204, None)
    assert not Follow.objects.exists()
    assert error_of(send(viewer, "PUT", "metadata/features/nothing/follow")) == (404, "unknown_feature")
    assert error_of(send(viewer, "PUT", "metadata/groups/nothing/follow")) == (404, "not_found")
