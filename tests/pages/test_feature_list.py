"""Finding features on the page: search, facets, sorting, pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from catalog.models import Feature, FeatureGroup, Status
from tests import stocked_store as store

pytestmark = pytest.mark.django_db


def names(client: Client, query: str = "") -> list[str]:
    html = client.get(f"/features/{query}").content.decode()
    return re.findall(r'<th scope="row" class="text"><a class="mono" href="[^"]+">([^<]+)</a>', html)


@pytest.fixture
def finance(db: None) -> FeatureGroup:
    group = store.make_group("finance", owner="risk, team")
    for name, data_type in (("balance_mean", "float"), ("mean_balance_of_all", "float"), ("salary", "integer")):
        store.make_feature(group, name, data_type)
    return group


@pytest.fixture
def profile(finance: FeatureGroup) -> FeatureGroup:
    group = store.make_group("profile", owner="people")
    store.make_feature(group, "country", "string", sensitivity="personal")
    Feature.objects.filter(name="country").update(description="Where the balance is held", owner="geo")
    Feature.objects.get(name="salary").tags.create(name="balance")
    return group


def test_ranked_by_how_well_the_words_fit(profile: FeatureGroup, viewer: Client) -> None:
    assert names(viewer, "?q=balance+mean") == ["balance_mean", "mean_balance_of_all"]
    assert names(viewer, "?q=balance") == ["balance_mean", "mean_balance_of_all", "salary", "country"]


@pytest.mark.parametrize(
    "q", ["customer_balance_mean_v1", "finance%3Abalance_mean%401.0", "BALANCE_MEAN", "balance_mean%40v1"]
)
def test_ids_and_references_are_found(q: str, finance: FeatureGroup, viewer: Client) -> None:
    assert names(viewer, f"?q={q}")[0] == "balance_mean"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?group=finance", ["balance_mean", "mean_balance_of_all", "salary"]),
        ("?group=finance,profile&data_type=string", ["country"]),
        ("?entity=customer&data_type=integer", ["salary"]),
        ("?tag=balance", ["salary"]),
        ("?tag=balance&tag=none", []),
        ("?owner=geo", ["country"]),
        ("?owner=people", []),
        ("?owner=risk,%20team&data_type=integer", ["salary"]),
        ("?sensitivity=personal", ["country"]),
        ("?sensitivity=internal&group=profile", []),
        ("?status=active&ordering=-name", ["salary", "mean_balance_of_all", "country", "balance_mean"]),
        ("?status=deprecated", []),
        ("?q=%25", []),
    ],
)
def test_filters(query: str, expected: list[str], profile: FeatureGroup, viewer: Client) -> None:
    assert names(viewer, query) == expected


def test_facets_count_what_a_click_would_leave(profile: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/features/?group=finance").content.decode()

    facet = re.compile(r'<a href="([^"]+)"( aria-current="true")?><span class="facet__name">([^<]+)</span>[^>]+>(\d+)<')
    found = {name: (int(count), bool(chosen), href) for href, chosen, name, count in facet.findall(html)}
    assert found["finance"] == (3, True, "?")
    assert found["profile"] == (1, False, "?group=profile")
    assert found["float"] == (2, False, "?group=finance&amp;data_type=float")
    assert "string" not in found
    assert found["risk, team"] == (3, False, "?group=finance&amp;owner=risk%2C+team")


def test_a_chosen_filter_can_be_removed_alone(profile: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/features/?q=balance&group=finance&data_type=float").content.decode()

    assert '<a class="chip" href="?q=balance&amp;data_type=float">group: finance' in html
    assert 'href="/features/?q=balance">Remove all' in html


def test_a_typo_is_answered_with_what_was_meant(finance: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/features/?q=balanse_meen").content.decode()

    assert "No feature fits" in html
    assert 'Did you mean <a href="?q=balance_mean">balance_mean</a>' in html


def test_pages_keep_the_rest_of_the_address(finance: FeatureGroup, viewer: Client) -> None:
    for number in range(30):
        store.make_feature(finance, f"f{number:02}")

    first, second = names(viewer, "?ordering=-name"), names(viewer, "?ordering=-name&page=2")

    assert (len(first), len(second)) == (24, 9)
    assert sorted(first + second, reverse=True) == first + second
    html = viewer.get("/features/?ordering=-name").content.decode()
    assert 'rel="next" href="?ordering=-name&amp;page=2"' in html
    assert "1–24 of 33 features" in html


def test_an_empty_catalog_says_how_to_fill_it(viewer: Client) -> None:
    assert "python manage.py apply" in viewer.get("/features/").content.decode()


def test_archived_features_are_for_editors_only(finance: FeatureGroup, viewer: Client, engineer: Client) -> None:
    Feature.objects.filter(name="salary").update(status=Status.ARCHIVED)

    assert "salary" not in names(viewer)
    assert "salary" in names(engineer)


@pytest.mark.parametrize("query", ["?ordering=nonsense", "?q=a%00b", "?group=" + "x%2C" * 60 + "y", "?group=a%00"])
def test_what_cannot_be_read_is_a_bad_request(query: str, finance: FeatureGroup, viewer: Client) -> None:
    if query.startswith("?group=x"):
        query = "?" + "&".join(f"group=g{number}" for number in range(60))
    answer = viewer.get(f"/features/{query}")

    assert answer.status_code == 400
    assert "(400)" in answer.content.decode()
