"""Which features are like one, and that nothing hidden is among them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from catalog.access import Role
from catalog.models import Feature, FeatureVersion, Status
from catalog.similar import similar_features
from tests.api.described_catalog import profile, tag
from tests.stocked_store import make_feature, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def balance() -> FeatureVersion:
    version = make_feature(make_group("finance"), "balance_mean", source_column="balance")
    tag(version, "money", "core")
    profile(version)
    return version


@pytest.fixture
def viewer() -> User:
    return make_user("vera", Role.VIEWER)


def found(version: FeatureVersion, user: User) -> dict[str, tuple[str, ...]]:
    return {one.feature.name: one.why for one in similar_features(version, user=user)}


def test_by_source_name_tags_and_shape(balance: FeatureVersion, viewer: User) -> None:
    group = balance.feature.group
    make_feature(group, "age")
    tag(make_feature(group, "salary"), "money", "core")
    profile(make_feature(group, "balance_max", source_column="balance"))
    shifted = make_feature(group, "balance_min")
    profile(shifted, histogram={"edges": [900_000.0, 1_000_000.0], "counts": [10_000]})

    assert found(balance, viewer) == {
        "balance_max": ("the same source column", "balance", "values distributed alike"),
        "balance_min": ("balance",),
        "salary": ("2 shared tags",),
    }
    assert list(found(balance, viewer)) == ["balance_max", "balance_min", "salary"]


def test_nothing_hidden_is_named_or_compared(balance: FeatureVersion, viewer: User) -> None:
    group = balance.feature.group
    make_feature(group, "balance_old")
    Feature.objects.filter(name="balance_old").update(status=Status.ARCHIVED)
    profile(make_feature(group, "balance_private", sensitivity="personal"))

    assert found(balance, viewer) == {"balance_private": ("balance",)}
    assert found(balance, make_user("stella", Role.STEWARD))["balance_private"] == (
        "balance",
        "values distributed alike",
    )
    assert found(balance, make_user("stig")) == {}


def test_one_query_however_many_there_are(
    balance: FeatureVersion, viewer: User, django_assert_num_queries: object
) -> None:
    for number in range(40):
        make_feature(balance.feature.group, f"balance_{number}")
    version = FeatureVersion.objects.select_related("feature__group", "latest_profile").get(pk=balance.pk)
    list(version.feature.tags.all())
    similar_features(balance, user=viewer)  # what the reader may do is asked once
    with django_assert_num_queries(2):  # type: ignore[operator]  # the fixture has no type of its own
        assert len(similar_features(version, user=viewer)) == 6  # the tags, and the one
