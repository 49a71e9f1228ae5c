"""One feature's page."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from catalog.access import Role
from catalog.actor import acting
from catalog.audit import record
from catalog.clock import now
from catalog.models import Feature, FeatureVersion, Status, ValueGrant
from featurestore_site.configuration import Configuration
from serving.models import FeatureValue
from tests import stocked_store as store
from tests.pages.filled import add_profile, fill, signed_in

pytestmark = pytest.mark.django_db


def page(client: Client, address: str = "/features/finance_f0/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_what_it_is_and_how_its_values_are(viewer: Client) -> None:
    fill()
    html = page(viewer)

    assert re.search(r'<pre id="feature-id" [^>]*><code>customer_finance_f0_v1</code></pre>', html)
    assert "<dt>Definition</dt><dd>column <code>column_0</code> of <code>finance</code>" in html
    for name, value in (("Mean", "42.125"), ("Least", "0.5"), ("Greatest", "90.25")):
        assert f"<dt>{name}</dt>" in html
        assert f">{value}</dd>" in html
    assert '<dt>Missing</dt><dd>10 <span class="tile__note">1%</span></dd>' in html
    assert "drawing--histogram" in html
    assert "<td>30 to 60</td><td>500</td><td>50.5%</td>" in html
    assert "<td>50%</td><td>41.5</td>" in html
    assert 'Owner: <a href="/search?owner=risk%20team">risk team</a>' in html
    assert 'href="/services/finance_model/"' in html


def test_quality_against_its_thresholds(viewer: Client) -> None:
    fill()
    html = page(viewer)

    assert '<td class="number">99%</td><td class="number">95%</td>' in html
    assert '<td class="number">80%</td><td class="number">90%</td>' in html
    assert html.count("falls short") == 1
    assert "above 80 (up to 90.25): 200 of 1000 rows" in html
    assert "<td>c-7</td><td>88.8</td>" in html


def test_quality_is_not_judged_where_monitoring_is_off(
    viewer: Client, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    off = configuration.validation.model_copy(update={"quality_monitoring_enabled": False})
    monkeypatch.setattr(django_settings, "FEATURESTORE", dataclasses.replace(configuration, validation=off))

    html = page(viewer)

    assert html.count("not judged") == 3
    assert "falls short" not in html


def test_lineage_as_drawing_and_list(viewer: Client) -> None:
    fill()
    html = page(viewer)

    assert "drawing--lineage" in html
    assert "<code>finance</code><div" in html
    assert "copied" in html


def test_personal_values_need_a_grant(viewer: Client, steward: Client) -> None:
    group = fill()
    Feature.objects.filter(name="finance_f0").update(sensitivity="personal")
    granted = store.make_user("gerda", Role.VIEWER)
    ValueGrant.objects.create(group=group, user=granted)

    closed = page(viewer)
    assert "88.8" not in closed
    assert "90.25" not in closed
    assert "42.125" not in closed
    assert "drawing--histogram" not in closed
    assert "Values of this feature are personal" in closed
    assert "<dt>Missing</dt><dd>10 " in closed
    for reader in (steward, signed_in(granted)):
        html = page(reader)
        assert "drawing--histogram" in html
        assert "88.8" in html


def test_an_expired_grant_opens_nothing(viewer: Client) -> None:
    group = fill()
    Feature.objects.filter(name="finance_f0").update(sensitivity="confidential")
    user = store.make_user("late", Role.VIEWER)
    ValueGrant.objects.create(group=group, user=user, expires_at=now() - timedelta(seconds=1))

    assert "drawing--histogram" not in page(signed_in(user))


def test_a_source_problem_says_why_there_are_no_values(viewer: Client) -> None:
    group = fill()
    version = store.make_feature(group, "balance_sum", source_problem="the table finance has no column balance_sum")

    html = page(viewer, "/features/balance_sum/")

    assert '<p class="banner__title">There are no values</p><p>the table finance has no column balance_sum</p>' in html
    assert version.latest_profile is None


def test_deprecation_is_a_banner_with_its_reason(viewer: Client) -> None:
    fill()
    Feature.objects.filter(name="finance_f0").update(status=Status.DEPRECATED, status_reason="Use finance_f1.")

    assert "This feature is deprecated</p><p>Use finance_f1.</p>" in page(viewer)


def test_versions_can_be_switched(viewer: Client) -> None:
    fill()
    feature = Feature.objects.get(name="finance_f0")
    FeatureVersion.objects.create(
        feature=feature, major=2, minor=0, data_type="integer", source_column="column_new", change_note="In cents"
    )

    assert "customer_finance_f0_v1</code></pre>" in page(viewer)
    for version in ("2.0", "2", "v2"):
        html = page(viewer, f"/features/finance_f0/?version={version}")
        assert "customer_finance_f0_v2</code></pre>" in html
        assert "version=2.0" in html
        assert "No values yet" in html
    answer = viewer.get("/features/finance_f0/?version=7")
    assert answer.status_code == 404
    assert "its versions are 2.0, 1.0" in answer.content.decode()


def test_a_name_of_two_entities_offers_both(viewer: Client) -> None:
    fill()
    branches = store.make_group("branches", entity=store.make_entity("branch", ("branch_id",)))
    store.make_feature(branches, "finance_f0")

    html = page(viewer)
    assert 'href="?group=finance">finance:finance_f0</a>' in html
    assert 'href="?group=branches">branches:finance_f0</a>' in html
    html = page(viewer, "/features/finance_f0/?group=branches")
    assert "branch_finance_f0_v1" in html
    assert "branches:finance_f0@1.0" in html


def test_an_unknown_name_offers_the_nearest(viewer: Client) -> None:
    fill()
    answer = viewer.get("/features/finance_g0/")

    assert answer.status_code == 404
    assert 'href="/features/finance_f0/">finance_f0</a>' in answer.content.decode()


def test_snippets_have_the_readers_own_address_and_the_version(viewer: Client) -> None:
    fill()
    html = viewer.get("/features/finance_f0/", headers={"host": "localhost:8123"}).content.decode()

    assert "http://localhost:8123/api/v1/features/finance_f0/entity/15634602?version=1.0" in html
    assert "FeatureStoreClient(&quot;http://localhost:8123&quot;)" in html
    assert "features=[&quot;finance_f0@1.0&quot;]" in html


def test_the_sql_snippet_runs(viewer: Client) -> None:
    group = fill()
    store.put_online(group, "c-1", {"finance_f0_v1": 12.5})
    snippet = next(one for one in viewer.get("/features/finance_f0/").context["snippets"] if one.id == "use-sql")

    with connection.cursor() as cursor:
        cursor.execute(snippet.code.rstrip(";").replace("%", "%%"))
        rows = cursor.fetchall()

    assert FeatureValue._meta.db_table in snippet.code
    assert [(row[0], float(row[1])) for row in rows] == [("c-1", 12.5)]


def test_changes_are_for_those_who_edit(viewer: Client, engineer: Client) -> None:
    fill()
    feature = Feature.objects.get(name="finance_f0")
    with acting(None, "olga"):
        record(action="update", instance=feature, before={"unit": "EUR"}, after={"unit": "USD"})

    assert "olga" not in page(viewer)
    html = page(engineer)
    assert "<td>olga</td>" in html
    assert '<span class="muted">unit:</span> EUR' in html


def test_profiles_over_time(viewer: Client) -> None:
    fill()
    version = FeatureVersion.objects.get(feature__name="finance_f0")
    for days in (1, 2, 3):
        add_profile(version, computed_at=now() - timedelta(days=days), mean_value=40.0 - days)
    FeatureVersion.objects.filter(pk=version.pk).update(latest_profile=version.profiles.first())

    html = page(viewer)

    assert "Mean: 37 → 42.125" in html
    assert "Null rate: 1% → 1%" in html
    assert html.count("drawing--line ") + html.count('drawing--line"') == 3
