"""The search verb."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User

from catalog.access import Role
from catalog.models import Feature
from catalog.search import search_features
from tests import stocked_store as store

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera() -> User:
    group = store.make_group("finance")
    for name, tags in (("balance", ["money", "numeric"]), ("salary", ["money"]), ("country", ["place"])):
        feature = store.make_feature(group, name).feature
        for tag in tags:
            feature.tags.add(store_tag(tag))
    return store.make_user("vera", Role.VIEWER)


def store_tag(name: str) -> int:
    return Feature.tags.rel.model.objects.get_or_create(name=name)[0].pk


def names(**asked: object) -> list[str]:
    return list(search_features(**asked).features.values_list("name", flat=True))  # type: ignore[arg-type]


def test_any_or_all_of_the_tags(vera: User) -> None:
    assert names(user=vera, tags=["money", "PLACE "]) == ["balance", "country", "salary"]
    assert names(user=vera, tags=["money", "numeric"], match="all") == ["balance"]
    assert names(user=vera, tags=["money", "place"], match="all") == []


def test_words_and_tags_together(vera: User) -> None:
    assert names(user=vera, q="money", tags=["numeric"]) == ["balance"]


def test_strangers_find_nothing_and_learn_nothing(vera: User) -> None:
    found = search_features(user=AnonymousUser(), q="balanse")
    assert (list(found.features), found.did_you_mean) == ([], ())


@pytest.mark.parametrize(
    ("q", "meant"), [("balanse", "balance"), ("contry", "country"), ("salry monye", "salary money")]
)
def test_what_was_meant(q: str, meant: str, vera: User) -> None:
    assert meant in search_features(user=vera, q=q).did_you_mean


def test_archived_features_are_never_suggested(vera: User) -> None:
    Feature.objects.filter(name="balance").update(status="archived")
    assert search_features(user=vera, q="balanse").did_you_mean == ()


@pytest.mark.parametrize("q", ["%", "_", "___", "!!!", "\\"])
def test_signs_alone_find_nothing(q: str, vera: User) -> None:
    assert names(user=vera, q=q) == []


def test_a_long_search_is_cut(vera: User) -> None:
    assert names(user=vera, q="money " * 5000) == ["balance", "salary"]
