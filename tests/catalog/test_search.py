"""The search verb: what is found, in which order, by whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from catalog.access import Reader, Role
from catalog.clock import now
from catalog.declarations import Tier
from catalog.editing import archive_feature, archive_group, edit_feature, edit_group
from catalog.errors import InvalidInput
from catalog.filters import FeatureFilter
from catalog.models import Feature, FeatureGroup, SearchChange, Tag
from catalog.search import FoundFeatures, find_features
from catalog.search.index import Indexer
from serving.models import FeatureUsage
from tests import stocked_store as store
from tests.pages.filled import add_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera() -> User:
    group = store.make_group("finance")
    for name, tags in (("balance", ["money", "numeric"]), ("salary", ["money"]), ("country", ["place"])):
        feature = store.make_feature(group, name).feature
        feature.tags.set([Tag.objects.get_or_create(name=tag)[0] for tag in tags])
    return store.make_user("vera", Role.VIEWER)


def find(user: Reader, query: str = "") -> FoundFeatures:
    asked = FeatureFilter(QueryDict(query), queryset=Feature.objects.none())
    return find_features(user=user, criteria=asked.criteria(user=user))


def names(user: Reader, query: str = "") -> list[str]:
    return [feature.name for feature in find(user, query)]


def make(group: FeatureGroup, *given: str) -> None:
    for name in given:
        store.make_feature(group, name)


class TestOrder:
    def test_exact_then_beginning_then_words_then_tags_then_texts(self, vera: User) -> None:
        group = FeatureGroup.objects.get()
        make(group, "mean_balance_of_all", "balance_mean", "rent")
        Feature.objects.get(name="rent").tags.create(name="balance")
        edit_feature(feature=Feature.objects.get(name="salary"), changes={"description": "Balance of pay"}, editor=vera)
        assert names(vera, "q=balance") == ["balance", "balance_mean", "mean_balance_of_all", "rent", "salary"]

    def test_the_exact_name_is_first_however_unused_it_is(self, vera: User) -> None:
        make(FeatureGroup.objects.get(), "balance_mean")
        popular = Feature.objects.get(name="balance_mean")
        FeatureUsage.objects.create(day=now().date(), feature=popular, caller="m", online_reads=10**6)
        Feature.objects.filter(name="balance_mean").update(tier=Tier.CERTIFIED)
        assert names(vera, "q=balance") == ["balance", "balance_mean"]

    def test_tier_reads_and_freshness_break_ties_in_this_order(self, vera: User) -> None:
        group = FeatureGroup.objects.get()
        make(group, "risk_a", "risk_b", "risk_c", "risk_d", "risk_e")
        Feature.objects.filter(name="risk_e").update(tier=Tier.CERTIFIED)
        FeatureUsage.objects.create(
            day=now().date(), feature=Feature.objects.get(name="risk_d"), caller="m", online_reads=50
        )
        version = Feature.objects.get(name="risk_c").default_version
        assert version is not None
        add_profile(version, newest_event=now() - timedelta(hours=1))
        Feature.objects.filter(name="risk_a").update(status="deprecated")
        assert names(vera, "q=risk") == ["risk_e", "risk_d", "risk_c", "risk_b", "risk_a"]

    @pytest.mark.parametrize(
        "q", ["customer_balance_v1", "finance:balance@1.0", "BALANCE", "balance@v1", "finance balance"]
    )
    def test_ids_and_references_are_exact(self, q: str, vera: User) -> None:
        make(FeatureGroup.objects.get(), "balance_finance_customer")
        assert names(vera, f"q={q}")[0] == "balance"

    @pytest.mark.parametrize("ordering", ["name", "-name", "group", "-updated_at", "completeness", "-reads"])
    def test_every_order_is_whole_and_its_pages_neither_repeat_nor_lose(self, ordering: str, vera: User) -> None:
        make(FeatureGroup.objects.get(), *(f"f{number}" for number in range(9)))
        found = find(vera, f"ordering={ordering}")
        pages = [feature.name for start in (0, 5, 10) for feature in found[start : start + 5]]
        assert sorted(pages) == sorted(Feature.objects.values_list("name", flat=True))


class TestWords:
    @pytest.mark.parametrize(
        ("q", "meant"),
        [
            ("balanse", "balance"),
            ("blance", "balance"),
            ("contry", "country"),
            ("salray", "salary"),
            ("bal", "balance"),
        ],
    )
    def test_slips_are_forgiven(self, q: str, meant: str, vera: User) -> None:
        assert names(vera, f"q={q}") == [meant]

    def test_what_a_slip_was_read_as_is_told(self, vera: User) -> None:
        found = find(vera, "q=balanse+money")
        assert [feature.name for feature in found] == ["balance"]
        assert found.hits.corrected == {"balanse": "balance"}

    def test_words_that_nothing_has_are_left_out_and_told(self, vera: User) -> None:
        found = find(vera, "q=zzzzqqqq+salary")
        assert ([feature.name for feature in found], found.hits.dropped) == (["salary"], ("zzzzqqqq",))

    def test_not_every_word_need_fit(self, vera: User) -> None:
        assert names(vera, "q=balance+country") == ["balance", "country"]

    def test_camel_case_and_dashes_separate_words(self, vera: User) -> None:
        make(FeatureGroup.objects.get(), "credit_score_mean")
        assert names(vera, "q=creditScore-mean") == ["credit_score_mean"]

    @pytest.mark.parametrize("q", ["%25", "_", "___", "!!!", "%5C"])
    def test_signs_alone_find_nothing(self, q: str, vera: User) -> None:
        assert names(vera, f"q={q}") == []

    def test_a_long_search_is_cut(self, vera: User) -> None:
        assert names(vera, "q=" + "money+" * 5000) == ["balance", "salary"]


class TestRestrictions:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("q=tag:money", ["balance", "salary"]),
            ("q=tag:money+tag:numeric", ["balance"]),
            ("tag=money,numeric", ["balance"]),
            ("q=group:finance+type:float+salary", ["salary"]),
            ("q=entity:customer+status:active", ["balance", "country", "salary"]),
            ("q=tier:certified", []),
            ("q=fresh:<1d", ["balance"]),
            ("fresh=<1d", ["balance"]),
            ("q=fresh:>1d", []),
            ("q=null:<2%25", ["balance"]),
            ("q=null:<1%25", []),
            ("q=null:<=1%25", ["balance"]),
        ],
    )
    def test_tokens_and_parameters(self, query: str, expected: list[str], vera: User) -> None:
        version = Feature.objects.get(name="balance").default_version
        assert version is not None
        add_profile(version)  # three hours old, one percent null
        assert names(vera, query) == expected

    def test_an_owner_of_several_words(self, vera: User) -> None:
        FeatureGroup.objects.update(owner="risk team")
        Feature.objects.filter(name="salary").update(owner="people")
        assert names(vera, "q=owner:%22risk+team%22") == ["balance", "country"]

    @pytest.mark.parametrize(
        ("q", "said"),
        [
            ("tga:money", "did you mean tag:"),
            ("tag:", "has no value"),
            ("type:flaot", "did you mean type:float?"),
            ("tier:gold", "it is one of experimental, standard, certified"),
            ("fresh:soon", "write fresh:<1d"),
            ("null:few", "write null:<1%"),
            ("null:<140%", "from 0% to 100%"),
        ],
    )
    def test_a_token_that_cannot_be_read_says_what_would_be_right(self, q: str, said: str, vera: User) -> None:
        with pytest.raises(InvalidInput) as caught:
            find(vera, QueryDict(mutable=True).urlencode() + f"q={q.replace('%', '%25').replace('<', '%3C')}")
        assert said in caught.value.message

    def test_facets_count_what_a_click_would_leave(self, vera: User) -> None:
        people = store.make_group("people")
        make(people, "age", "balance_of_life")
        found = find(vera, "q=balance&group=finance")
        assert dict(found.facet_counts("group")) == {"finance": 1, "people": 1}
        assert dict(found.facet_counts("tag")) == {"money": 1, "numeric": 1}

    def test_what_to_loosen_is_told_with_its_count(self, vera: User) -> None:
        found = find(vera, "q=balance+tag:place&group=finance")
        assert len(found) == 0
        told = [(one.restriction.parameter if one.restriction else None, one.count) for one in found.relaxations()]
        assert told == [("tag", 1), (None, 1)]


class TestAfterAnEdit:
    def test_every_kind_of_edit_shows_at_once(self, vera: User) -> None:
        steward = store.make_user("stella", Role.STEWARD)
        assert names(vera, "q=salary") == ["salary"]
        salary = Feature.objects.get(name="salary")
        edit_feature(feature=salary, changes={"description": "wages", "tags": ["pay"]}, editor=steward)
        assert names(vera, "q=wages") == names(vera, "tag=pay") == ["salary"]
        assert names(vera, "q=tag:money") == ["balance"]
        edit_group(group=salary.group, changes={"owner": "payroll"}, editor=steward)
        assert names(vera, "owner=payroll") == ["balance", "country", "salary"]
        make(salary.group, "bonus")
        assert names(vera, "q=bonus") == ["bonus"]
        Tag.objects.get(name="pay").delete()
        assert names(vera, "tag=pay") == []
        archive_feature(feature=salary)
        assert names(vera, "q=salary") == []
        assert names(steward, "q=salary") == ["salary"]
        archive_group(group=salary.group)
        assert names(vera) == []

    def test_what_is_rolled_back_was_never_there(self, vera: User) -> None:
        assert len(find(vera)) == 3
        with transaction.atomic():
            make(FeatureGroup.objects.get(), "ghost")
            assert names(vera, "q=ghost") == ["ghost"]
            transaction.set_rollback(True)
        assert names(vera, "q=ghost") == []
        assert len(find(vera)) == 3

    def test_another_process_takes_it_over_too(self, vera: User) -> None:
        other = Indexer()
        assert other.current().base.size == 3
        make(FeatureGroup.objects.get(), "bonus")
        Feature.objects.filter(name="balance").update(description="changed past the verbs")
        index = other.current()
        assert (index.base.size, index.recent.names) == (3, ["balance", "bonus"])

    def test_nothing_new_costs_one_query(self, vera: User) -> None:
        indexer = Indexer()
        indexer.current()
        with CaptureQueriesContext(connection) as captured:
            indexer.current()
        assert len(captured) == 1
        assert SearchChange.objects.count() > 0


class TestPermission:
    def test_strangers_find_nothing_and_learn_nothing(self, vera: User) -> None:
        for user in (AnonymousUser(), store.make_user("stig")):
            found = find(user, "q=balanse")
            assert (len(found), found.did_you_mean(), found.hits.corrected, found.relaxations()) == (0, (), {}, [])
            assert all(not found.facet_counts(name) for name in ("group", "tag", "owner", "tier"))

    def test_hidden_features_are_in_no_count_and_no_suggestion(self, vera: User) -> None:
        steward = store.make_user("stella", Role.STEWARD)
        archive_feature(feature=Feature.objects.get(name="country"))
        found = find(vera, "q=contry")
        assert (len(found), found.hits.corrected, found.did_you_mean()) == (0, {}, ())
        assert "place" not in find(vera).facet_counts("tag")
        assert find(vera).count_of_visible == 2
        assert find(vera, "q=balance+tag:place").relaxations()[0].count == 1
        assert find(steward, "q=contry").hits.corrected == {"contry": "country"}

    def test_a_word_of_hidden_features_alone_is_as_unknown_as_any(self, vera: User) -> None:
        make(FeatureGroup.objects.get(), "balancer")
        archive_feature(feature=Feature.objects.get(name="balancer"))
        assert find(vera, "q=balancer").hits.corrected == {"balancer": "balance"}
