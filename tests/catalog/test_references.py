"""Feature references: ``[group:]name[@version]`` → the version that is meant."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from catalog.access import Role
from catalog.errors import InvalidInput, NotFound, UnknownReference
from catalog.models import Feature, FeatureService, FeatureVersion, Status
from catalog.references import Reference, nearest_names, parse_reference, resolve_references, resolve_service
from tests.stocked_store import make_entity, make_feature, make_group, make_service, make_user


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("balance", Reference("balance", "balance")),
        ("balance@2", Reference("balance@2", "balance", major=2)),
        ("balance@v2", Reference("balance@v2", "balance", major=2)),
        ("balance@1.0", Reference("balance@1.0", "balance", major=1, minor=0)),
        ("finance:balance", Reference("finance:balance", "balance", group="finance")),
        ("finance:balance@1.10", Reference("finance:balance@1.10", "balance", "finance", 1, 10)),
        (" balance ", Reference(" balance ", "balance")),
        ("Währung", Reference("Währung", "Währung")),
    ],
)
def test_what_a_reference_says(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", ":", "@", "a:", ":a", "a@", "a@x", "a@1.", "a@.1", "a@1.2.3", "a b", "a:b:c", "a@1@2", "a@-1",
     "a@" + "1" * 10, "a\nb", None, 5, ["a"], {"a": 1}, True, 1.5],
    ids=repr,
)  # fmt: skip
def test_what_is_none(text: object) -> None:
    with pytest.raises(InvalidInput, match="is not a feature reference") as caught:
        parse_reference(text)
    assert caught.value.details == {"reference": text}


@pytest.fixture
def reader(db: None) -> User:
    return make_user("reader", Role.VIEWER)


@pytest.fixture
def balance(reader: User) -> FeatureVersion:
    """``balance`` has the versions 1.0, 1.1, 2.0; its default is 1.1."""
    first = make_feature(make_group("finance"), "balance")
    second = FeatureVersion.objects.create(feature=first.feature, major=1, minor=1, data_type="float")
    FeatureVersion.objects.create(feature=first.feature, major=2, minor=0, data_type="integer")
    Feature.objects.update(default_version=second)
    return second


def resolved(texts: list[Any], user: User | AnonymousUser) -> list[tuple[str, str]]:
    return [(found.reference, f"{found.version.feature.group}:{found.version}") for found in
            resolve_references(texts, user=user)]  # fmt: skip


class TestResolving:
    @pytest.mark.parametrize(
        ("text", "number"),
        [("balance", "1.1"), ("balance@1", "1.1"), ("balance@v1", "1.1"), ("balance@1.0", "1.0"), ("balance@2", "2.0"),
         ("finance:balance@2.0", "2.0")],
    )  # fmt: skip
    def test_the_version_that_is_meant(self, balance: FeatureVersion, reader: User, text: str, number: str) -> None:
        assert balance.number == "1.1"
        assert resolved([text], reader) == [(text, f"finance:balance@{number}")]

    def test_keeps_the_order(self, balance: FeatureVersion, reader: User) -> None:
        make_feature(balance.feature.group, "age")
        assert [text for text, _ in resolved(["balance@2", "age", "balance"], reader)] == [
            "balance@2",
            "age",
            "balance",
        ]

    def test_unknown_names_come_with_the_nearest(self, balance: FeatureVersion, reader: User) -> None:
        with pytest.raises(UnknownReference, match="there is no feature 'balanse'; did you mean balance?") as caught:
            resolve_references(["balanse"], user=reader)
        assert caught.value.details == {"reference": "balanse", "nearest": ["balance"]}

    def test_a_wrong_group_names_the_right_one(self, balance: FeatureVersion, reader: User) -> None:
        with pytest.raises(UnknownReference) as caught:
            resolve_references(["habits:balance"], user=reader)
        assert caught.value.details == {"reference": "habits:balance", "nearest": ["finance:balance"]}

    @pytest.mark.parametrize("text", ["balance@3", "balance@1.7", "balance@0"])
    def test_an_unknown_version_names_those_there_are(
        self, balance: FeatureVersion, reader: User, text: str
    ) -> None:  # fmt: skip
        with pytest.raises(UnknownReference) as caught:
            resolve_references([text], user=reader)
        assert caught.value.details == {"reference": text, "versions": ["2.0", "1.1", "1.0"]}

    def test_a_name_of_two_entities_must_say_its_group(self, balance: FeatureVersion, reader: User) -> None:
        make_feature(make_group("shops", entity=make_entity("shop", ("shop_id",))), "balance")

        with pytest.raises(InvalidInput) as caught:
            resolve_references(["balance"], user=reader)
        assert caught.value.details == {"reference": "balance", "candidates": ["finance:balance", "shops:balance"]}
        assert resolved(["shops:balance", "finance:balance"], reader) == [
            ("shops:balance", "shops:balance@1.0"),
            ("finance:balance", "finance:balance@1.1"),
        ]

    def test_nothing_and_twice_are_refused(self, balance: FeatureVersion, reader: User) -> None:
        with pytest.raises(InvalidInput, match="no feature was asked for"):
            resolve_references([], user=reader)
        with pytest.raises(InvalidInput, match="balance is asked for twice"):
            resolve_references(["balance", "balance"], user=reader)

    @pytest.mark.parametrize("count", [1, 40])
    def test_the_queries_do_not_grow_with_the_references(
        self, reader: User, count: int, django_assert_num_queries: Any
    ) -> None:
        group = make_group("wide")
        for number in range(count):
            make_feature(group, f"f{number}")
        user = User.objects.get(pk=reader.pk)
        with django_assert_num_queries(3):  # the roles, the features, their versions
            found = resolve_references([f"f{number}" for number in range(count)], user=user)
            assert [one.version.public_id for one in found] == [f"customer_f{number}_v1" for number in range(count)]


class TestWhoMayKnow:
    def archive(self, balance: FeatureVersion, what: str) -> None:
        if what == "version":
            FeatureVersion.objects.filter(pk=balance.pk).update(status=Status.ARCHIVED)
        elif what == "feature":
            Feature.objects.update(status=Status.ARCHIVED)
        else:
            type(balance.feature.group).objects.update(status=Status.ARCHIVED)

    @pytest.mark.parametrize("what", ["version", "feature", "group"])
    def test_archived_ones_are_for_engineers(self, balance: FeatureVersion, reader: User, what: str) -> None:
        self.archive(balance, what)
        engineer = make_user("engineer", Role.DATA_ENGINEER)

        with pytest.raises(UnknownReference):
            resolve_references(["balance"], user=reader)
        assert resolved(["balance"], engineer) == [("balance", "finance:balance@1.1")]
        assert nearest_names("balance", user=reader) == ([] if what != "version" else ["balance"])

    def test_an_archived_version_leaves_the_others(self, balance: FeatureVersion, reader: User) -> None:
        self.archive(balance, "version")
        assert resolved(["balance@1"], reader) == [("balance@1", "finance:balance@1.0")]

    def test_strangers_know_nothing(self, balance: FeatureVersion) -> None:
        for user in (AnonymousUser(), make_user("without a role")):
            with pytest.raises(UnknownReference) as caught:
                resolve_references(["balance"], user=user)
            assert caught.value.details == {"reference": "balance", "nearest": []}


class TestServices:
    def test_are_pinned_and_in_their_order(self, balance: FeatureVersion, reader: User) -> None:
        age = make_feature(balance.feature.group, "age")
        pinned = FeatureVersion.objects.get(major=1, minor=0, feature__name="balance")
        make_service("churn", age, pinned)

        found = resolve_service("churn", user=reader)

        assert [(one.reference, one.version) for one in found] == [("age", age), ("balance", pinned)]

    def test_two_majors_of_one_feature_are_told_apart(self, balance: FeatureVersion, reader: User) -> None:
        make_service("both", balance, FeatureVersion.objects.get(major=2))

        assert [one.reference for one in resolve_service("both", user=reader)] == [
            "finance:balance@1.1",
            "finance:balance@2.0",
        ]

    def test_unknown_ones_come_with_the_nearest(self, balance: FeatureVersion, reader: User) -> None:
        make_service("churn", balance)
        with pytest.raises(NotFound, match="there is no feature service 'chrun'; did you mean churn?"):
            resolve_service("chrun", user=reader)

    def test_strangers_know_none(self, balance: FeatureVersion) -> None:
        make_service("churn", balance)
        assert FeatureService.objects.exists()
        with pytest.raises(NotFound) as caught:
            resolve_service("churn", user=AnonymousUser())
        assert caught.value.details == {"service": "churn", "nearest": []}
