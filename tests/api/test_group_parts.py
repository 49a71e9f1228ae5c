"""What the page of a group tells beside the catalog's own: its check, source, storage and the rows kept out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureGroup, Status
from ingestion.models import IngestionRun, QuarantinedRow, Source
from ingestion.schedules import INGEST
from serving.tokens import issue_token, revoke_token
from tests.api.asking import ask, caller, error_of
from tests.pages.filled import fill
from tests.stocked_store import client_of, make_group, make_user

pytestmark = pytest.mark.django_db
PARTS = ("metadata/groups/finance/quality", "metadata/groups/finance/source", "metadata/groups/finance/storage")


@pytest.fixture
def finance() -> FeatureGroup:
    return fill()


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def test_the_newest_check(finance: FeatureGroup, viewer: Client) -> None:
    status, body = ask(viewer, "metadata/groups/finance/quality")

    assert (status, body["group"], body["report"]["passed"]) == (200, "finance", False)
    assert body["report"]["shortfalls"][0]["message"] == "validity 80% is below 90%"
    assert [(one["feature"], one["failed"]) for one in body["report"]["results"]] == [
        (f"finance_f{number}", 200) for number in range(3)
    ]
    Feature.objects.filter(name="finance_f0").update(sensitivity="personal")
    closed = ask(viewer, "metadata/groups/finance/quality")[1]["report"]
    assert [one["sample"] is None for one in closed["results"]] == [True, False, False]
    make_group("empty")
    assert ask(viewer, "metadata/groups/empty/quality")[1]["report"] is None


def test_source_and_schedule(finance: FeatureGroup, viewer: Client) -> None:
    Source.objects.create(name="warehouse", kind="sqlite", location="/data/warehouse.db")
    assert ask(viewer, "metadata/groups/finance/source")[1] | {"as_of": None} == {
        "group": "finance",
        "as_of": None,
        "source": "warehouse",
        "source_table": "finance",
        "kind": "sqlite",
        "location": None,
        "schedule": "",
        "is_paused": False,
        "next_due": None,
    }
    line = CrontabSchedule.objects.create(minute="*/5", hour="*", timezone="UTC")
    task = PeriodicTask.objects.create(name="ingest finance", task=INGEST, crontab=line, kwargs='{"group": "finance"}')

    told = ask(caller(Role.DATA_ENGINEER), "metadata/groups/finance/source")[1]

    assert (told["location"], told["schedule"]) == ("/data/warehouse.db", "*/5 * * * * UTC")
    assert f"{now():%Y-%m-%dT%H:%M}" <= told["next_due"][:16] <= f"{now() + timedelta(minutes=5):%Y-%m-%dT%H:%M}"
    task.enabled = False
    task.save()
    paused = ask(viewer, "metadata/groups/finance/source")[1]
    assert (paused["is_paused"], paused["next_due"]) == (True, None)


def test_storage(finance: FeatureGroup, viewer: Client) -> None:
    body = ask(viewer, "metadata/groups/finance/storage")[1]
    told = ("online_rows", "history_rows", "history_bytes", "table_version")
    assert [body[name] for name in told] == [1000, 52000, 2048, 4]
    make_group("empty")
    body = ask(viewer, "metadata/groups/empty/storage")[1]
    assert [body[name] for name in told] == [0, 0, 0, None]


@pytest.mark.parametrize("path", PARTS)
def test_who_may_ask(path: str, finance: FeatureGroup, viewer: Client) -> None:
    assert ask(viewer, path)[0] == 200
    assert error_of(ask(caller(None, "stig"), path)) == (403, "permission_denied")
    assert error_of(ask(viewer, path, page=1)) == (400, "invalid_input")
    assert error_of(ask(viewer, path.replace("finance", "finanze"))) == (404, "not_found")
    FeatureGroup.objects.update(status=Status.ARCHIVED)
    assert error_of(ask(viewer, path)) == (404, "not_found")
    assert ask(caller(Role.STEWARD), path)[0] == 200


@pytest.mark.parametrize("path", [*PARTS, "quarantine"])
def test_queries_do_not_grow(path: str, finance: FeatureGroup, viewer: Client) -> None:
    ask(viewer, path)
    with CaptureQueriesContext(connection) as few:
        ask(viewer, path)
    run = IngestionRun.objects.get()
    for number in range(20):
        QuarantinedRow.objects.create(
            group=finance, row_hash=str(number), row={}, reasons=[], last_run=run, first_seen=now(), last_seen=now()
        )
    with CaptureQueriesContext(connection) as many:
        assert ask(viewer, path)[0] == 200
    assert len(many) == len(few), [query["sql"][:120] for query in many]


class TestQuarantine:
    def test_rows_with_their_reasons_and_a_record_of_the_read(self, finance: FeatureGroup, viewer: Client) -> None:
        fill("second")
        run = IngestionRun.objects.get(group=finance)

        status, body = ask(viewer, "quarantine", group="finance")

        assert (status, body["count"]) == (200, 1)
        [row] = body["results"]
        assert (row["group"], row["entity_key"], row["row"]) == ("finance", "c-9", {"column_0": "secret-177"})
        assert row["reasons"][0]["message"] == "secret-177 is no number"
        assert row["last_run"] == str(run.pk)
        assert ask(viewer, "quarantine")[1]["count"] == 2
        assert ask(viewer, "quarantine", run=str(run.pk))[1]["count"] == 1
        assert error_of(ask(viewer, "quarantine", run="nonsense")) == (400, "invalid_input")

    def test_what_rows_hold_is_for_those_who_may_see_them(self, finance: FeatureGroup, viewer: Client) -> None:
        Feature.objects.filter(name="finance_f0").update(sensitivity="personal")

        body = ask(viewer, "quarantine")[1]

        assert body["count"] == 1
        assert "secret-177" not in str(body)
        [row] = body["results"]
        assert (row["row"], row["entity_key"]) == (None, None)
        assert row["reasons"] == [{"rule": "type", "feature": "finance_f0", "message": None}]
        assert "secret-177" in str(ask(caller(Role.STEWARD), "quarantine")[1])

    def test_not_of_groups_that_the_caller_may_not_know_of(self, finance: FeatureGroup, viewer: Client) -> None:
        FeatureGroup.objects.update(status=Status.ARCHIVED)
        assert ask(viewer, "quarantine")[1]["count"] == 0
        assert ask(caller(Role.STEWARD), "quarantine")[1]["count"] == 1
        assert error_of(ask(caller(None, "stig"), "quarantine")) == (403, "permission_denied")


class TestOwnTokens:
    def test_ones_own_and_no_key(self) -> None:
        vera, other = make_user("vera", Role.VIEWER), make_user("other", Role.VIEWER)
        client = client_of(vera)
        issue_token(user=other, name="not hers", scopes=["read"])
        old = issue_token(user=vera, name="old", scopes=["read", "write"])
        revoke_token(old.token)

        status, body = ask(client, "metadata/me/tokens")

        assert (status, body["count"]) == (200, 2)
        assert [(one["name"], one["is_in_force"], one["scopes"]) for one in body["results"]] == [
            ("test", True, ["read"]),
            ("old", False, ["read", "write"]),
        ]
        assert old.key not in str(body)
        assert old.token.digest not in str(body)
        assert body["results"][1]["prefix"] == old.key[:8]

    def test_strangers_and_odd_words(self, viewer: Client) -> None:
        assert error_of(ask(caller(None, "stig"), "metadata/me/tokens")) == (403, "permission_denied")
        assert error_of(ask(Client(), "metadata/me/tokens")) == (401, "not_authenticated")
        assert error_of(ask(viewer, "metadata/me/tokens", user="vera")) == (400, "invalid_input")
