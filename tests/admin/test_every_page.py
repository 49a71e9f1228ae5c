"""Every model of the store has its list, its page and its add form, for those who may and for nobody else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import Stocked, stock

admin.autodiscover()  # as its addresses do when they are first asked for
REGISTERED = sorted(
    (
        model
        for model in admin.site._registry
        if model._meta.app_label in {"catalog", "serving", "ingestion", "auth", "django_celery_beat"}
    ),
    key=lambda model: model._meta.label,
)
OWN_MODELS = [model for app in ("catalog", "serving", "ingestion") for model in apps.get_app_config(app).get_models()]
# Shown within the service that they belong to.
# Members are rows of their service; the others are of the machinery.
INLINE_ONLY = {"DemoLoad", "FeatureServiceMember", "OnlineRevision", "SearchChange"}
MADE_BY_THE_STORE = {
    "AuditEvent",
    "FeatureProfile",
    "FeatureRequest",
    "FeatureUsage",
    "FeatureValue",
    "FeatureVersion",
    "FoldedLog",
    "Follow",
    "GroupLease",
    "IngestionRun",
    "LatencyBucket",
    "MaterializedTable",
    "QuarantinedRow",
    "RuleResult",
    "SavedView",
    "Source",
    "TrainingDataset",
    "ValidationReport",
}


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def named(model: type[models.Model]) -> str:
    return model.__name__


def test_every_model_is_registered() -> None:
    missing = {model.__name__ for model in OWN_MODELS if model not in admin.site._registry}

    assert missing == INLINE_ONLY


@pytest.mark.parametrize("model", REGISTERED, ids=named)
def test_every_filter_and_order_that_a_list_offers_is_answered(
    model: type[models.Model], root: Client, stocked: Stocked
) -> None:
    listed = address(model, "changelist")
    offered = set(re.findall(r'href="(\?[^"]+)"', root.get(listed).content.decode()))

    answers = {link: root.get(listed + unescape(link)).status_code for link in sorted(offered)}

    assert {link: status for link, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("model", REGISTERED, ids=named)
def test_list_and_page_of_a_row(model: type[models.Model], root: Client, stocked: Stocked) -> None:
    row = model._default_manager.first()
    listed = root.get(address(model, "changelist"))
    searched = root.get(address(model, "changelist"), {"q": "finance"})

    assert listed.status_code == searched.status_code == 200
    if row is not None:
        assert root.get(address(model, "change", row.pk)).status_code == 200
    else:
        assert model.__name__ in {"ClockedSchedule", "IntervalSchedule", "SolarSchedule"}


@pytest.mark.parametrize("model", REGISTERED, ids=named)
def test_add_form_or_none(model: type[models.Model], root: Client, stocked: Stocked) -> None:
    expected = 403 if model.__name__ in MADE_BY_THE_STORE else 200

    assert root.get(address(model, "add")).status_code == expected


@pytest.mark.parametrize("model", [model for model in OWN_MODELS if model.__name__ in MADE_BY_THE_STORE], ids=named)
def test_what_the_store_makes_is_never_deleted(model: type[models.Model], root: Client, stocked: Stocked) -> None:
    row = model._default_manager.first()
    assert row is not None

    answer = root.post(address(model, "delete", row.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", REGISTERED, ids=named)
def test_staff_without_a_role_see_nothing(model: type[models.Model], stranger: Client, stocked: Stocked) -> None:
    assert stranger.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", REGISTERED, ids=named)
def test_lists_ask_as_often_for_many_rows_as_for_few(model: type[models.Model], root: Client, stocked: Stocked) -> None:
    root.get(address(model, "changelist"))
    few = _queries(root, model)
    for number in range(4):
        stock(f"more{number}")

    assert _queries(root, model) <= few + _growing_filters(model)


def _growing_filters(model: type[models.Model]) -> int:
    """A list of a single row leaves out what only several need, such as counting the dates to drill into."""
    return 1 if admin.site._registry[model].date_hierarchy else 0


def _queries(client: Client, model: type[models.Model]) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address(model, "changelist")).status_code == 200
    return len(queries)


def test_pages_carry_the_name_and_a_way_back(root: Client) -> None:
    page = root.get(reverse("admin:index")).content.decode()

    assert "Feature store administration" in page
    assert '<a class="catalog-link" href="/">Catalog</a>' in page


def test_times_are_sortable(root: Client, stocked: Stocked) -> None:
    run = stocked.group.runs.get()

    page = root.get(address(type(run), "changelist")).content.decode()

    assert f"{run.created_at:%Y-%m-%d %H:%M:%S}" in page


@pytest.fixture
def clients(scientist: Client, engineer: Client, steward: Client, administrator: Client) -> dict[str, Client]:
    return {"scientist": scientist, "engineer": engineer, "steward": steward, "administrator": administrator}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("catalog_feature", {"scientist", "engineer", "steward", "administrator"}),
        ("catalog_featureservice", {"scientist", "engineer", "steward", "administrator"}),
        ("catalog_auditevent", {"engineer", "steward", "administrator"}),
        ("ingestion_ingestionrun", {"engineer", "steward", "administrator"}),
        ("ingestion_quarantinedrow", {"engineer", "steward", "administrator"}),
        ("catalog_valuegrant", {"administrator"}),
        ("serving_apitoken", {"administrator"}),
        ("auth_user", {"administrator"}),
        ("auth_group", {"administrator"}),
        ("django_celery_beat_periodictask", {"engineer", "steward", "administrator"}),
    ],
)
def test_who_may_look(name: str, expected: set[str], clients: dict[str, Client], stocked: Stocked) -> None:
    allowed = {
        role for role, client in clients.items() if client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    }

    assert allowed == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("catalog_feature", {"engineer", "steward", "administrator"}),
        ("catalog_featuregroup", {"engineer", "steward", "administrator"}),
        ("catalog_entity", {"engineer", "steward", "administrator"}),
        ("catalog_featureservice", {"scientist", "engineer", "steward", "administrator"}),
        ("catalog_valuegrant", {"administrator"}),
        ("serving_apitoken", {"administrator"}),
        ("auth_user", {"administrator"}),
    ],
)
def test_who_may_add(name: str, expected: set[str], clients: dict[str, Client]) -> None:
    allowed = {role for role, client in clients.items() if client.get(reverse(f"admin:{name}_add")).status_code == 200}

    assert allowed == expected
