"""The start page."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from catalog.access import Role
from catalog.clock import now
from catalog.following import follow
from catalog.models import Feature, FeatureVersion
from featurestore_site.configuration import Configuration
from ingestion.models import DemoLoad, RunState
from serving.models import FeatureUsage
from serving.tokens import issue_token
from tests import stocked_store as store
from tests.pages.filled import add_run, fill, signed_in

pytestmark = pytest.mark.django_db


def test_an_empty_store_names_the_commands_that_fill_it(viewer: Client) -> None:
    html = viewer.get("/").content.decode()

    for command in ("apply", "ingest", "status", "quickstart"):
        assert f"<code>python manage.py {command}</code>" in html
    assert "Load the demo" not in html


def test_the_first_steps_are_ticked_by_what_is_there(viewer: Client) -> None:
    assert viewer.get("/").content.decode().count('class="is-done"') == 0
    fill()
    html = viewer.get("/").content.decode()
    assert html.count('class="is-done"') == 4
    assert re.search(r'<li><span class="checklist__mark"[^>]*></span><span><strong>Make a token</strong>', html)
    issue_token(user=User.objects.get(username="vera"), name="mine", scopes=["read"])
    assert "First steps" not in viewer.get("/").content.decode()


class TestDemo:
    @pytest.fixture
    def woken(self, monkeypatch: pytest.MonkeyPatch, configuration: Configuration) -> list[int]:
        """The ids that a worker was told of; the configuration reads the demo's warehouse."""
        paths = configuration.input_sources.model_copy(
            update={"step6_datawarehouse": Path(configuration.data_dir) / "demo" / "datawarehouse" / "w.db"}
        )
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(configuration, input_sources=paths))
        ids: list[int] = []
        monkeypatch.setattr("ingestion.views.demo.wake_demo", ids.append)
        return ids

    @pytest.fixture
    def administrator(self, db: None) -> Client:
        return signed_in(store.make_user("ada", Role.ADMINISTRATOR))

    def test_an_administrator_asks_for_it_once(
        self, administrator: Client, viewer: Client, woken: list[int], django_capture_on_commit_callbacks: Any
    ) -> None:
        assert "Load the demo" in administrator.get("/").content.decode()
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                assert administrator.post("/demo/load").status_code == 302
        load = DemoLoad.objects.get()
        assert (woken, load.requested_by) == ([load.pk], "ada")
        assert "The demo waits for a worker." in viewer.get("/").content.decode()
        DemoLoad.objects.update(state="running", days=30, done=7)
        part = viewer.get("/demo/progress")
        assert "day 7 of 30" in part.content.decode()
        assert "HX-Refresh" not in part
        DemoLoad.objects.update(state="succeeded")
        assert viewer.get("/demo/progress")["HX-Refresh"] == "true"

    def test_it_is_refused_to_others_and_where_something_is(
        self, administrator: Client, engineer: Client, woken: list[int]
    ) -> None:
        assert engineer.post("/demo/load").status_code == 403
        fill()
        assert "Load the demo" not in administrator.get("/").content.decode()
        administrator.post("/demo/load")
        assert not DemoLoad.objects.exists()

    def test_one_that_fell_silent_may_be_asked_for_again(self, administrator: Client, woken: list[int]) -> None:
        administrator.post("/demo/load")
        DemoLoad.objects.update(state="running", seen_at=now() - timedelta(hours=1))
        administrator.post("/demo/load")
        assert list(DemoLoad.objects.values_list("state", flat=True)) == ["queued", "cancelled"]


def test_numbers_of_a_filled_store(viewer: Client) -> None:
    group = fill(features=3)
    add_run(group, RunState.FAILED)

    html = viewer.get("/").content.decode()

    assert '<dt>Features</dt><dd><a href="/search">3</a>' in html
    assert '<dt>Groups</dt><dd><a href="/groups/">1</a> <span class="tile__note">of 1 entity</span>' in html
    assert "<dt>Reads in 30 days</dt><dd>21 " in html
    assert '1,000 <span class="tile__note">of 52,000 in history</span>' in html
    assert '<a href="/runs/">2</a> <a class="tile__note" href="/runs/?state=failed">1 failed</a>' in html
    assert "3 hours ago</time>" in html
    assert "There is nothing here yet" not in html


def listed(html: str, key: str) -> list[str]:
    part = html.split(f'aria-labelledby="list-{key}"')[1].split("</section>")[0]
    return re.findall(r'class="mono" href="/features/([^/]+)/', part)


def test_lists_of_mine_and_of_all(viewer: Client) -> None:
    fill(features=4)
    vera = User.objects.get(username="vera")
    Feature.objects.filter(name="finance_f0").update(owner="vera")
    Feature.objects.filter(name="finance_f1").update(tier="certified")
    Feature.objects.filter(name="finance_f2").update(status="deprecated")
    FeatureUsage.objects.filter(feature__name="finance_f3").update(caller="vera")
    follow(user=vera, subject=Feature.objects.get(name="finance_f3"))

    html = viewer.get("/").content.decode()

    assert listed(html, "owned") == ["finance_f0"]
    assert listed(html, "followed") == listed(html, "used") == ["finance_f3"]
    assert listed(html, "certified") == ["finance_f1"]
    assert listed(html, "rising") == ["finance_f0", "finance_f1", "finance_f2", "finance_f3"]
    assert listed(html, "deprecated") == ["finance_f2"]
    assert len(listed(html, "new")) == 4


def test_hidden_features_are_in_no_list(viewer: Client, engineer: Client) -> None:
    fill(features=2)
    Feature.objects.filter(name="finance_f0").update(status="archived", owner="vera")
    html = viewer.get("/").content.decode()
    assert "finance_f0" not in html
    assert '<dt>Features</dt><dd><a href="/search">1</a>' in html
    assert "finance_f0" in engineer.get("/").content.decode()


def test_features_without_values_say_why(viewer: Client) -> None:
    group = fill()
    version = FeatureVersion.objects.get(feature__name="finance_f1")
    version.source_problem = "the table finance has no column column_1"
    version.save()

    html = viewer.get("/").content.decode()

    assert (
        f'href="/features/finance_f1/?group={group.name}"><code>finance_f1</code></a>: the table finance has no' in html
    )


def test_a_group_that_is_not_fresh_is_named(viewer: Client) -> None:
    group = fill()
    group.freshness = timedelta(hours=2)
    group.save()

    assert "allowed are 2 hours" in viewer.get("/").content.decode()


def test_a_group_within_its_freshness_is_not_named(viewer: Client) -> None:
    group = fill()
    group.freshness = timedelta(hours=4)
    group.save()

    assert "Not fresh" not in viewer.get("/").content.decode()
