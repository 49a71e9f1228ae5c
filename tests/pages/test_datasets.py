"""Pages of training datasets: the list, one with its pins, verifying and archiving."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.access import Role
from catalog.models import Feature, FeatureGroup, ValueGrant
from serving.datasets.archiving import archive_dataset
from serving.models import TrainingDataset
from tests import stocked_store as store
from tests.datasets_made import asked, day, made, stocked_group
from tests.pages.filled import HOSTILE, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


@pytest.fixture
def sara() -> User:
    return store.make_user("sara", Role.DATA_SCIENTIST)


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    html = answer.content.decode()
    assert answer.status_code == 200, html
    assert html.count("<h1") == 1
    ids = re.findall(r"\sid=\"([^\"]+)\"", html)
    assert sorted(ids) == sorted(set(ids))
    assert not re.search(r"\sstyle=|\son\w+=|<style", html)
    return html


def test_who_may_open_them(
    group: FeatureGroup, sara: User, viewer: Client, stranger: Client, anonymous: Client
) -> None:
    one = f"/datasets/{made(sara).pk}/"
    for address in ("/datasets/", one):
        assert "churn training" in shown(viewer, address)
        assert stranger.get(address).status_code == 403
        assert anonymous.get(address)["Location"] == f"/login?next={address}"
    assert (viewer.get(one[:-1]).status_code, viewer.get("/datasets")["Location"]) == (301, "/datasets/")
    assert viewer.get("/datasets/1b4e28ba-2fa1-11d2-883f-0016d3cca427/").status_code == 404


def test_the_list_says_why_it_is_empty(viewer: Client, group: FeatureGroup, sara: User) -> None:
    assert "There is no training dataset yet" in shown(viewer, "/datasets/")
    made(sara)
    assert "No training dataset fits" in shown(viewer, "/datasets/?q=other")
    assert 'aria-current="page">Datasets</a>' in shown(viewer, "/datasets/")
    assert viewer.get("/datasets/?archived=maybe").status_code == 400


def test_filters(group: FeatureGroup, sara: User, viewer: Client) -> None:
    first = made(sara, name="the first")
    asked(sara, name="the second")
    assert "the first" not in shown(viewer, "/datasets/?state=queued")
    assert "the second" not in shown(viewer, "/datasets/?q=first")
    archive_dataset(first, user=sara)
    assert "the first" not in shown(viewer, "/datasets/")
    assert "the first" in shown(viewer, "/datasets/?archived=true")


def test_one_dataset_shows_its_pins(group: FeatureGroup, sara: User, viewer: Client) -> None:
    dataset = made(sara, description="for the churn model")
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    for text in (
        "for the churn model",
        "customer_balance_v1",
        'finance</a></td><td class="number">3</td><td>any age</td>',
        dataset.content_hash[:12],
        dataset.entity_rows_hash[:12],
        "Download Parquet",
        f"/api/v1/datasets/{dataset.pk}/download",
        "It was not verified yet",
        "client.create_training_dataset(",
        "Lineage of churn training",
        "customer_visits_v1",
    ):
        assert text in html
    assert "Archive</button>" not in html
    assert "Archive</button>" in shown(signed_in(sara), f"/datasets/{dataset.pk}/")
    lineage = shown(viewer, "/features/balance/")
    assert f'href="/datasets/{dataset.pk}/"' in lineage


def test_its_lineage_is_drawn_as_on_the_page_of_lineage(group: FeatureGroup, sara: User, viewer: Client) -> None:
    dataset = made(sara)
    Feature.objects.filter(name="balance").update(status="deprecated")

    html = shown(viewer, f"/datasets/{dataset.pk}/")

    drawing = html.split("drawing--lineage")[1].split("</svg>")[0]
    labels = re.findall(r"<text ([^>]*d-node__name[^>]*)>([^<]*)<", drawing)
    across = {name: float(re.findall(r'\bx="([\d.]+)"', attributes)[0]) for attributes, name in labels}
    assert across["balance v1"] == across["visits v1"] < across["churn training"]
    assert drawing.count("d-node__state--deprecated") == 1
    assert "(deprecated)" in html.split("As a list")[1]
    [whole] = re.findall(r'href="(/lineage/\?node=dataset[^"]+)"', html)
    assert viewer.get(whole).status_code == 200


def test_a_dataset_names_its_twin(group: FeatureGroup, sara: User, viewer: Client) -> None:
    dataset = made(sara)
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    [address] = re.findall(r'<link rel="alternate" type="application/json" href="([^"]+)"', html)
    body = viewer.get(address).json()
    assert (body["name"], body["content_hash"]) == (dataset.name, dataset.content_hash)
    assert body["content_hash"][:12] in html


def test_a_dataset_that_is_not_built(group: FeatureGroup, sara: User, viewer: Client) -> None:
    dataset = asked(sara)
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    assert "It waits for a worker" in html
    assert "Download Parquet" not in html
    TrainingDataset.objects.filter(pk=dataset.pk).update(state="running", progress=0.4)
    assert "building, 40%" in shown(viewer, f"/datasets/{dataset.pk}/")
    TrainingDataset.objects.filter(pk=dataset.pk).update(state="failed", error=HOSTILE, name=HOSTILE)
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    assert "It could not be built" in html
    assert "<script>alert" not in html + shown(viewer, "/datasets/")


def test_verifying(group: FeatureGroup, sara: User, viewer: Client, stranger: Client) -> None:
    dataset = made(sara)
    assert stranger.post(f"/datasets/{dataset.pk}/verify").status_code == 403
    assert viewer.get(f"/datasets/{dataset.pk}/verify").status_code == 405
    html = viewer.post(f"/datasets/{dataset.pk}/verify", follow=True).content.decode()
    assert "Made again: identical, 4 rows." in html
    assert "verified: identical" in html
    TrainingDataset.objects.filter(pk=dataset.pk).update(
        verification={
            "identical": False,
            "row_count": 4,
            "differing_cells": 1,
            "differences": [{"row": 2, "column": "balance", "was": 987654.5, "now": None}],
            "reasons": ["the history was rewritten"],
        }
    )
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    assert "1 cells differ" in html
    assert "the history was rewritten" in html
    assert "987,654.5" in html


def test_values_that_a_reader_may_not_see(sara: User, viewer: Client) -> None:
    people = store.make_group("people", sensitivity="personal")
    store.make_feature(people, "surname", "string", mask="partial")
    store.put_history(people, [{"key": "1", "event": day(1), "surname_v1": "Nováková"}])
    ValueGrant.objects.create(group=people, user=sara)
    dataset = made(sara, features=["surname"])
    TrainingDataset.objects.filter(pk=dataset.pk).update(
        verification={
            "identical": False,
            "row_count": 4,
            "differing_cells": 1,
            "differences": [{"row": 0, "column": "surname", "was": "Nováková", "now": None}],
            "reasons": [],
        }
    )
    html = shown(viewer, f"/datasets/{dataset.pk}/")
    assert "It holds values of surname that you may not see" in html
    assert "Nováková" not in html
    assert "Download Parquet" not in html
    assert viewer.post(f"/datasets/{dataset.pk}/verify").status_code == 403
    assert "Nováková" in shown(signed_in(sara), f"/datasets/{dataset.pk}/")


def test_archiving(group: FeatureGroup, sara: User, viewer: Client) -> None:
    dataset = made(sara)
    assert viewer.post(f"/datasets/{dataset.pk}/archive").status_code == 403
    html = signed_in(sara).post(f"/datasets/{dataset.pk}/archive", follow=True).content.decode()
    assert "The training dataset churn training is archived." in html
    assert "Download Parquet" not in html
    assert viewer.post(f"/datasets/{dataset.pk}/verify").status_code == 409


def test_queries_do_not_grow_with_datasets(
    group: FeatureGroup, sara: User, viewer: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(35):
        dataset = asked(sara, name=f"number {number}")
    shown(viewer, "/datasets/")
    with django_assert_max_num_queries(8):
        html = shown(viewer, "/datasets/")
    assert "1–30 of 35 training datasets" in html
    with django_assert_max_num_queries(14):
        shown(viewer, f"/datasets/{dataset.pk}/")
