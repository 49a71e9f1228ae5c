"""Finding features on the page: search, facets, sorting, pages."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.feature_requests import answer_request
from catalog.models import Feature, FeatureGroup, FeatureRequest, RequestState, SavedView, Status
from tests import stocked_store as store

pytestmark = pytest.mark.django_db


def names(client: Client, query: str = "") -> list[str]:
    html = client.get("/search" + (f"{query}&layout=table" if query else "?layout=table")).content.decode()
    found = re.findall(r'<th scope="row" class="text"><a class="mono" href="[^"]+">(.+?)</a>', html)
    return [re.sub("</?mark>", "", name) for name in found]


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
    html = viewer.get("/search?group=finance").content.decode()

    facet = re.compile(
        r'<a href="([^"]+)" id="[^"]+"( aria-current="true")?><span class="facet__name">([^<]+)</span>[^>]+>(\d+)<'
    )
    found = {name: (int(count), bool(chosen), href) for href, chosen, name, count in facet.findall(html)}
    assert found["finance"] == (3, True, "?")
    assert found["profile"] == (1, False, "?group=profile")
    assert found["float"] == (2, False, "?group=finance&amp;data_type=float")
    assert "string" not in found
    assert found["risk, team"] == (3, False, "?group=finance&amp;owner=risk%2C+team")


def test_a_chosen_filter_can_be_removed_alone(profile: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/search?q=balance&group=finance&data_type=float").content.decode()

    assert '<a class="chip" href="?q=balance&amp;data_type=float">group: finance' in html
    assert 'href="/search?q=balance">Remove all' in html


def test_a_slip_is_forgiven_and_told(finance: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/search?q=balanse_meen&layout=table").content.decode()

    assert names(viewer, "?q=balanse_meen") == ["balance_mean", "mean_balance_of_all"]
    assert "Nothing has “balanse”; it is read as <strong>balance</strong>." in html
    assert "<mark>balance</mark>_<mark>mean</mark>" in html


def test_words_that_nothing_has_are_named(finance: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/search?q=balance+xylophone").content.decode()

    assert "Left out, as no feature has it with the others: <s>xylophone</s>." in html


def test_a_token_that_cannot_be_read_leaves_the_page_standing(finance: FeatureGroup, viewer: Client) -> None:
    answer = viewer.get("/search?q=tga:money")

    html = answer.content.decode()
    assert answer.status_code == 400
    assert "did you mean tag:, as in tag:money?" in html
    assert 'value="tga:money"' in html


def test_where_nothing_fits_the_page_says_what_to_loosen_and_takes_a_request(
    finance: FeatureGroup, viewer: Client, engineer: Client
) -> None:
    html = viewer.get("/search?q=balance+owner:nobody").content.decode()
    assert "No feature fits" in html
    assert '<a href="?q=balance">Owner: nobody</a> <span class="muted">there would be 2 features</span>' in html

    sent = {"wanted": "balance per branch", "reason": "churn", "query": "q=balance+owner:nobody"}
    answer = viewer.post("/search/ask", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/me/#requests")
    asked = FeatureRequest.objects.get()
    assert (asked.wanted, asked.query, asked.user.username) == ("balance per branch", "q=balance+owner:nobody", "vera")
    answer_request(
        request=asked,
        answerer=User.objects.get(username="enno"),
        state=RequestState.FULFILLED,
        answer="It is there now.",
        feature=Feature.objects.get(name="salary"),
    )
    own = viewer.get("/me/").content.decode()
    assert "balance per branch" in own
    assert "It is there now." in own
    assert "balance per branch" not in engineer.get("/me/").content.decode()


def test_a_view_is_saved_opened_and_removed(finance: FeatureGroup, viewer: Client, engineer: Client) -> None:
    saved = viewer.post("/search/views/save", {"name": "My balance", "query": "q=balance&ordering=-name&page=2"})
    assert saved["Location"] == "/search?view=my-balance"
    assert names(viewer, "?view=my-balance") == ["mean_balance_of_all", "balance_mean"]
    assert engineer.get("/search?view=my-balance").status_code == 404
    viewer.post("/search/views/save", {"name": "My balance", "query": "q=balance", "is_shared": "true"})
    assert names(engineer, "?view=my-balance") == ["balance_mean", "mean_balance_of_all"]
    assert engineer.post("/search/views/my-balance/remove").status_code == 404
    assert viewer.post("/search/views/my-balance/remove")["Location"] == "/me/"
    assert not SavedView.objects.exists()


def test_what_is_exchanged_while_typing_is_a_part_of_the_page(finance: FeatureGroup, viewer: Client) -> None:
    asked = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "results"}
    part = viewer.get("/search?q=balance", **asked)
    assert "<html" not in part.content.decode()
    assert "<mark>balance</mark>_mean" in part.content.decode()
    assert "HX-Request" in part["Vary"]
    back = viewer.get("/search?q=balance", **asked, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<html" in back.content.decode()


def test_the_old_address_of_the_list_leads_to_the_search(viewer: Client) -> None:
    answer = viewer.get("/features/?q=balance&tag=a")
    assert (answer.status_code, answer["Location"]) == (301, "/search?q=balance&tag=a")


def test_the_palette_names_places_that_the_reader_may_see(
    finance: FeatureGroup, viewer: Client, engineer: Client, anonymous: Client
) -> None:
    Feature.objects.filter(name="salary").update(status=Status.ARCHIVED)
    assert 'href="/features/balance_mean/?group=finance"' in viewer.get("/search/palette?q=balnce").content.decode()
    assert 'href="/groups/finance/"' in viewer.get("/search/palette?q=finan").content.decode()
    assert 'href="/runs/"' in viewer.get("/search/palette?q=run").content.decode()
    assert "/features/salary/" not in viewer.get("/search/palette?q=salary").content.decode()
    assert "/features/salary/" in engineer.get("/search/palette?q=salary").content.decode()
    assert anonymous.get("/search/palette?q=salary").status_code == 302


def test_features_side_by_side(finance: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/compare?f=balance_mean&f=finance:salary@1.0").content.decode()
    assert '<tr class="differs"><th scope="row">Type' in html
    assert '<tr><th scope="row">Group</th><td class="mono">finance</td><td class="mono">finance</td></tr>' in html
    assert 'href="?f=balance_mean"' in html
    assert viewer.get("/compare").status_code == 200
    assert viewer.get("/compare?f=" + "&f=".join("abcde")).status_code == 400
    assert viewer.get("/compare?f=nothing").status_code == 404


def test_pages_keep_the_rest_of_the_address(finance: FeatureGroup, viewer: Client) -> None:
    for number in range(30):
        store.make_feature(finance, f"f{number:02}")

    first, second = names(viewer, "?ordering=-name"), names(viewer, "?ordering=-name&page=2")

    assert (len(first), len(second)) == (24, 9)
    assert sorted(first + second, reverse=True) == first + second
    html = viewer.get("/search?ordering=-name").content.decode()
    assert 'rel="next" href="?ordering=-name&amp;page=2"' in html
    assert "1–24 of 33 features" in html


def test_an_empty_catalog_says_how_to_fill_it(viewer: Client) -> None:
    assert "python manage.py apply" in viewer.get("/search").content.decode()


def test_archived_features_are_for_editors_only(finance: FeatureGroup, viewer: Client, engineer: Client) -> None:
    Feature.objects.filter(name="salary").update(status=Status.ARCHIVED)

    assert "salary" not in names(viewer)
    assert "salary" in names(engineer)


@pytest.mark.parametrize("query", ["?ordering=nonsense", "?q=a%00b", "?group=" + "x%2C" * 60 + "y", "?group=a%00"])
def test_what_cannot_be_read_is_a_bad_request(query: str, finance: FeatureGroup, viewer: Client) -> None:
    if query.startswith("?group=x"):
        query = "?" + "&".join(f"group=g{number}" for number in range(60))
    answer = viewer.get(f"/search{query}")

    assert answer.status_code == 400
    assert "400" in answer.content.decode()
