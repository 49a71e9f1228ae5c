"""GET home: all that the start page shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureGroup, FeatureVersion, Status
from ingestion.models import RunState
from serving.models import FeatureUsage
from tests.api.asking import ask, caller, error_of
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db


def test_the_numbers_and_their_days() -> None:
    group = fill(features=3)
    add_run(group, RunState.FAILED)
    old = now() - timedelta(days=10)
    Feature.objects.filter(name="finance_f0").update(created_at=old)

    status, body = ask(caller(Role.VIEWER), "home")

    assert status == 200
    told = ("features", "groups", "entities", "reads", "online_rows", "history_rows", "runs_of_day")
    assert [body[name] for name in told] == [3, 1, 1, 21, 1000, 52000, 2]
    assert body["runs_of_day_failed"] == 1
    assert [one["count"] for one in body["features_by_day"]] == [0] * 19 + [1] * 10 + [3]
    assert [one["count"] for one in body["reads_by_day"]] == [0] * 29 + [21]
    assert body["reads_by_day"][-1]["day"] == f"{now():%Y-%m-%d}"
    assert sorted(one["state"] for one in body["newest_runs"]) == ["failed", "succeeded"]


def test_the_lists_of_one_person() -> None:
    fill(features=4)
    Feature.objects.filter(name="finance_f0").update(owner="vera")
    Feature.objects.filter(name="finance_f1").update(tier="certified")
    Feature.objects.filter(name="finance_f2").update(status=Status.DEPRECATED)
    FeatureUsage.objects.create(
        day=now().date(), feature=Feature.objects.get(name="finance_f3"), caller="vera", online_reads=1
    )
    Feature.objects.get(name="finance_f0").save()

    lists = {one["key"]: one for one in ask(caller(Role.VIEWER, "vera"), "home")[1]["lists"]}

    def listed(key: str) -> list[str]:
        return [one["feature"] for one in lists[key]["features"]]

    assert listed("owned") == ["finance:finance_f0"]
    assert listed("used") == ["finance:finance_f3"]
    assert listed("certified") == ["finance:finance_f1"]
    assert listed("deprecated") == ["finance:finance_f2"]
    assert len(listed("new")) == 4
    assert (lists["certified"]["reason"], lists["certified"]["features"][0]["tier"]) == ("", "certified")
    assert lists["certified"]["features"][0]["reads"] == 7
    others = {one["key"]: one for one in ask(caller(Role.VIEWER, "viktor"), "home")[1]["lists"]}
    assert "owned" not in others
    assert others["own"]["features"] == []
    assert others["own"]["reason"].startswith("What you own")


def test_what_is_wrong() -> None:
    group = fill()
    FeatureGroup.objects.filter(pk=group.pk).update(freshness=timedelta(hours=1))
    FeatureVersion.objects.filter(feature__name="finance_f1").update(source_problem="no such column")
    FeatureGroup.objects.create(name="empty", entity=group.entity, source="warehouse", source_table="empty")

    body = ask(caller(Role.VIEWER), "home")[1]

    assert body["without_values"] == [{"feature": "finance:finance_f1", "reason": "no such column"}]
    assert [(one["group"], one["freshness"]) for one in body["stale"]] == [("finance", 3600.0)]
    assert body["never_ingested"] == ["empty"]


def test_only_what_the_caller_may_know_of() -> None:
    fill()
    fill("second", features=2)
    FeatureGroup.objects.get(name="second").features.first().save()  # type: ignore[union-attr]  # there are two
    second = FeatureGroup.objects.get(name="second")
    second.status = Status.ARCHIVED
    second.save()

    viewer, steward = ask(caller(Role.VIEWER), "home")[1], ask(caller(Role.STEWARD), "home")[1]

    told = ("features", "groups", "reads", "runs_of_day", "online_rows")
    assert [viewer[name] for name in told] == [3, 1, 21, 1, 1000]
    assert [steward[name] for name in told] == [5, 2, 35, 2, 2000]
    assert "second" not in str(viewer)
    assert error_of(ask(caller(None, "stig"), "home")) == (403, "permission_denied")
    assert error_of(ask(caller(Role.VIEWER, "v"), "home", page=1)) == (400, "invalid_input")


def test_queries_do_not_grow() -> None:
    fill()
    viewer = caller(Role.VIEWER)
    ask(viewer, "home")
    with CaptureQueriesContext(connection) as few:
        ask(viewer, "home")
    for number in range(4):
        fill(f"group_{number}", features=6)
    ask(viewer, "home")  # the first search after a change takes it over
    with CaptureQueriesContext(connection) as many:
        assert ask(viewer, "home")[1]["features"] == 27
    assert len(many) == len(few), [query["sql"][:120] for query in many]
