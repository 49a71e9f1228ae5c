"""The start page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from catalog.models import FeatureVersion
from ingestion.models import RunState
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db


def test_an_empty_store_names_the_commands_that_fill_it(viewer: Client) -> None:
    html = viewer.get("/").content.decode()

    for command in ("apply", "ingest", "status", "quickstart"):
        assert f"<code>python manage.py {command}</code>" in html
    assert "Nothing was ingested yet" in html


def test_numbers_of_a_filled_store(viewer: Client) -> None:
    group = fill(features=3)
    add_run(group, RunState.FAILED)

    html = viewer.get("/").content.decode()

    assert '<dt>Features</dt><dd><a href="/features/">3</a></dd>' in html
    assert '<dt>Groups</dt><dd><a href="/groups/">1</a></dd>' in html
    assert "<dt>Entities</dt><dd>1</dd>" in html
    assert '1,000 <span class="tile__note">of 52,000 in history</span>' in html
    assert '<a href="/runs/">2</a> <a class="tile__note" href="/runs/?state=failed">1 failed</a>' in html
    assert "3 hours ago</time>" in html
    assert "python manage.py apply" not in html


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
