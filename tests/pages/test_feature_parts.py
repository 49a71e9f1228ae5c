"""The parts of one feature's page: trust, following, journal, comparison, versions, consumers, snippets."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import (
    Feature,
    FeatureGroup,
    FeatureVersion,
    Follow,
    JournalEntry,
    LineageEdge,
    LineageNode,
    Status,
    ValueGrant,
)
from ingestion.models import RuleResult, ValidationReport
from serving.models import FeatureUsage
from serving.tokens import issue_token
from tests import stocked_store as store
from tests.pages.filled import HOSTILE, add_profile, fill, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/features/finance_f0/"


def page(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


@pytest.fixture
def scientist(db: None) -> Client:
    return signed_in(store.make_user("sara", Role.DATA_SCIENTIST))


def test_the_trust_line_judges_with_evidence(viewer: Client) -> None:
    group = fill()
    FeatureGroup.objects.filter(pk=group.pk).update(freshness=timedelta(days=1))

    html = page(viewer)

    assert "<strong>Use with care</strong>: 1 of 1 checks broken (max value), validity below the threshold." in html
    assert 'class="trust trust--warn"' in html
    assert "newest value 3 hours ago, within the promised 1 day" in html
    assert "owned by risk team" in html
    assert "used by 1 service and 1 caller in 30 days" in html


def test_a_deprecated_feature_leads_to_its_replacement(viewer: Client, engineer: Client) -> None:
    fill()
    other = Feature.objects.get(name="finance_f1")
    Feature.objects.filter(name="finance_f0").update(
        status=Status.DEPRECATED, status_reason="Drifts.", replacement=other
    )
    link = 'Use instead: <a class="mono" href="/features/finance_f1/?group=finance">finance_f1</a>'

    html = page(viewer)
    assert link in html
    assert "Do not build on it</strong>: it is deprecated (use finance_f1)" in html
    Feature.objects.filter(pk=other.pk).update(status=Status.ARCHIVED)
    assert "finance_f1" not in page(viewer).split('id="overview"')[0]
    assert link in page(engineer)


def test_following_and_no_longer(viewer: Client) -> None:
    fill()
    assert ">Follow</button>" in page(viewer)
    answer = viewer.post(f"{PAGE}follow", {"group": "finance", "follow": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?group=finance")
    assert ">Unfollow</button>" in page(viewer)
    assert Follow.objects.get().user.username == "vera"
    viewer.post(f"{PAGE}follow", {"group": "finance", "follow": "no"})
    assert not Follow.objects.exists()
    assert viewer.get(f"{PAGE}follow").status_code == 405
    assert viewer.post("/features/nothing/follow").status_code == 404


def test_a_note_and_an_incident(scientist: Client, viewer: Client) -> None:
    fill()
    form = {"group": "finance", "kind": "incident", "text": f"Zero for **Spain** {HOSTILE}"}
    assert "Write a note" not in page(viewer)
    assert viewer.post(f"{PAGE}journal", form).status_code == 403
    assert not JournalEntry.objects.exists()

    answer = scientist.post(f"{PAGE}journal", form)

    assert answer["Location"] == f"{PAGE}?group=finance#journal"
    html = page(viewer)
    assert html.count("<strong>Spain</strong>") == 2  # in the banner and in the journal
    assert "Do not build on it</strong>: an incident is open" in html
    assert "Close the incident" not in html
    assert "<script>alert" not in html
    entry = JournalEntry.objects.get()
    assert viewer.post(f"/journal/{entry.pk}/close").status_code == 403
    assert "Close the incident" in page(scientist)
    assert scientist.post(f"/journal/{entry.pk}/close").status_code == 302
    assert "closed incident" in page(viewer)
    assert scientist.post("/journal/12345/close").status_code == 404


def test_an_incident_on_the_group_is_told_on_its_features(engineer: Client, viewer: Client) -> None:
    fill()
    engineer.post("/groups/finance/journal", {"kind": "incident", "text": "Late"})

    assert "Open incident on the whole group" in page(viewer)
    assert "<p>Late</p>" in page(viewer, "/groups/finance/")


def test_compared_with_another_profile(viewer: Client) -> None:
    fill()
    version = FeatureVersion.objects.get(feature__name="finance_f0")
    newest = version.latest_profile
    old = add_profile(
        version,
        computed_at=now() - timedelta(days=9),
        histogram={"edges": [0, 30, 60, 90.25], "counts": [900, 50, 40]},
    )
    FeatureVersion.objects.filter(pk=version.pk).update(latest_profile=newest)

    html = page(viewer)
    assert "d-reference" in html
    assert "Share in the reference" in html
    assert "(shifted)" in html
    assert page(viewer, f"{PAGE}?against={old.pk}").count("d-reference") == 1
    assert "d-reference" not in page(viewer, f"{PAGE}?against=none")
    assert "there is no profile that old" in page(viewer, f"{PAGE}?against=30d")
    assert viewer.get(f"{PAGE}?against=yesterday").status_code == 404


def test_versions_differ_in_definition_schema_and_statistics(viewer: Client) -> None:
    fill()
    feature = Feature.objects.get(name="finance_f0")
    second = FeatureVersion.objects.create(
        feature=feature,
        major=2,
        minor=0,
        data_type="integer",
        source_column="new",
        created_by="olga",
        change_note="In cents",
    )
    add_profile(second, mean_value=4212.5)

    html = page(viewer, f"{PAGE}?version=2.0")

    assert "From 1.0 to 2.0" in html
    assert "<td>data type</td><td><code>float</code></td><td><code>integer</code></td>" in html
    assert "<td>source column</td><td><code>column_0</code></td><td><code>new</code></td>" in html
    assert "<td>value column</td><td><code>finance_f0_v1</code></td><td><code>finance_f0_v2</code></td>" in html
    assert '<td>mean value</td><td class="number">42.125</td><td class="number">4,212.5</td><td>differs</td>' in html
    assert "In cents" in html
    assert "by olga" in html
    Feature.objects.update(sensitivity="personal")
    assert "4,212.5" not in page(viewer, f"{PAGE}?version=2.0")
    assert "From 2.0 to 1.0" in page(viewer, f"{PAGE}?version=1.0&from=2.0")
    assert viewer.get(f"{PAGE}?from=9").status_code == 404


def test_the_last_thirty_checks_of_a_rule(viewer: Client) -> None:
    group = fill()
    version = FeatureVersion.objects.get(feature__name="finance_f0")
    for days in range(1, 40):
        at = now() - timedelta(days=days)
        report = ValidationReport.objects.create(group=group, created_at=at, passed=True, row_count=10)
        fields: dict[str, Any] = {"report": report, "version": version, "severity": "warn", "checked": 10, "failed": 0}
        RuleResult.objects.create(rule="max_value", passed=True, **fields)
        if days < 4:
            RuleResult.objects.create(rule="drift", passed=True, measured=0.1 * days, threshold=0.25, **fields)

    html = page(viewer)

    assert "max value, the last 30 checks" in html
    assert "Stability index over 3 runs, now 0.1." in html


def test_who_uses_it(viewer: Client, engineer: Client) -> None:
    fill()
    feature = Feature.objects.get(name="finance_f0")
    FeatureUsage.objects.create(day=now().date(), feature=feature, caller="churn-api", online_reads=12_000)
    FeatureUsage.objects.create(
        day=now().date() - timedelta(days=40), feature=feature, caller="long-ago", online_reads=1
    )
    dataset = LineageNode.objects.create(kind="dataset", name="churn training/6c1b7a52-6a58-4c5c-9a3c-0d6f3a8e1f00")
    LineageEdge.objects.create(source=feature.lineage_nodes.get(), target=dataset)

    html = page(engineer)
    assert "<td>churn-api</td>" in html
    assert "long-ago" not in html
    assert 'href="/datasets/6c1b7a52-6a58-4c5c-9a3c-0d6f3a8e1f00/">churn training</a>' in html
    html = page(viewer)
    assert "churn-api" not in html
    assert "2 callers, 12,007 reads" in html


def test_as_many_queries_as_are_allowed(steward: Client) -> None:
    fill()
    version = FeatureVersion.objects.get(feature__name="finance_f0")
    other = Feature.objects.get(name="finance_f1")
    Feature.objects.filter(pk=version.feature_id).update(status=Status.DEPRECATED, replacement=other)
    for days in range(1, 5):
        add_profile(version, computed_at=now() - timedelta(days=days))
    page(steward)
    with CaptureQueriesContext(connection) as queries:
        html = page(steward)
    assert len(queries) <= 15, [query["sql"] for query in queries]
    assert len(html.encode()) <= 120_000


def test_a_grant_and_broken_rules_take_no_more(engineer: Client) -> None:
    group = fill()
    Feature.objects.update(sensitivity="personal")
    assert "88.8" not in page(engineer)
    ValueGrant.objects.create(group=group, user=User.objects.get(username="enno"))
    version = FeatureVersion.objects.get(feature__name="finance_f0")
    other = Feature.objects.get(name="finance_f1")
    Feature.objects.filter(pk=version.feature_id).update(status=Status.DEPRECATED, replacement=other)
    for days in range(1, 5):
        add_profile(version, computed_at=now() - timedelta(days=days))

    with CaptureQueriesContext(connection) as queries:
        html = page(engineer)

    assert "88.8" in html  # the sample of the broken rule
    assert len(queries) <= 15, [query["sql"] for query in queries]


@pytest.mark.django_db(transaction=True)
def test_every_snippet_gives_a_value_when_it_is_run(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    group = fill()
    store.put_online(group, "15634602", {"finance_f0_v1": 12.5})
    store.put_history(group, [{"key": "15634602", "event": store.DAY, "finance_f0_v1": 12.5}])
    user = store.make_user("vera", Role.VIEWER)
    monkeypatch.setenv("FEATURESTORE_TOKEN", issue_token(user=user, name="t", scopes=["read"]).key)
    answer = signed_in(user).get(PAGE, headers={"host": live_server.url.removeprefix("http://")})
    code = {snippet.id: snippet.code for snippet in answer.context["snippets"]}

    told: dict[str, Any] = {}
    exec(code["use-python"], told)  # the page's own code
    assert (told["value"].value, told["value"].status) == (12.5, "PRESENT")
    exec(code["use-training"], told)
    assert told["training"]["finance_f0@1.0"].tolist() == [12.5]
    run = subprocess.run(["bash", "-c", code["use-curl"]], capture_output=True, text=True, check=True)
    assert '"value":12.5' in run.stdout.replace(" ", "")
