"""The ways that people go through the pages, in a real browser under the content security policy."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from catalog.access import Role
from ingestion.models import IngestionRun
from tests import stocked_store as store
from tests.pages.filled import fill

# The server answers from another thread: what the test writes must be committed.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill("correct horse")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/login" not in address)


@pytest.fixture
def vera(transactional_db: None) -> User:
    fill(features=3)
    return store.make_user("vera", Role.VIEWER)


def test_from_signing_in_to_a_copied_snippet(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/search?q=money")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    sign_in(page, vera)
    expect(page).to_have_url(f"{live_server.url}/search?q=money")

    page.keyboard.press("/")
    page.keyboard.type("finance_f1")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="finance_f1", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("finance_f1")

    python = page.locator(".snippet", has_text="get_feature(").first
    python.get_by_role("button", name="Copy").click()
    expect(python.get_by_role("button")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'FeatureStoreClient("{live_server.url}")' in copied
    assert 'get_feature("finance_f1", entity_id="15634602", version="1.0")' in copied
    assert complaints == []


def test_from_a_feature_to_its_group_and_the_run(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/login?next=/features/finance_f0/")
    sign_in(page, vera)
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("cell", name="500", exact=True)).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="finance", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("finance")
    page.get_by_role("link", name="ingestion").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ingestion of finance")
    expect(page.get_by_role("cell", name="max value").first).to_be_visible()
    assert complaints == []


def test_an_engineer_asks_for_a_run(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.views.requests.wake_worker", lambda _: None)
    engineer = store.make_user("enno", Role.DATA_ENGINEER)
    page.goto(f"{live_server.url}/login?next=/groups/finance/")
    sign_in(page, engineer)
    page.get_by_role("button", name="Ingest now").click()
    expect(page.get_by_text("is asked for")).to_be_visible()
    expect(page.get_by_text("queued", exact=True)).to_be_visible()
    assert IngestionRun.objects.filter(state="queued", requested_by="enno").count() == 1
    assert complaints == []


def test_filters_apply_at_once_and_stay_in_the_address(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/login?next=/features/")
    sign_in(page, vera)
    page.get_by_label("Sort by").select_option("-name")
    expect(page).to_have_url(re.compile(r"ordering=-name"))
    page.locator(".facet").get_by_role("link", name="float").click()
    expect(page).to_have_url(re.compile(r"ordering=-name&data_type=float"))
    assert page.locator(".result__title a").all_inner_texts() == ["finance_f2", "finance_f1", "finance_f0"]
    assert complaints == []


def test_every_page_fits_a_telephone(page: Page, live_server: LiveServer, vera: User, complaints: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_server.url}/login?next=/")
    sign_in(page, vera)
    run = IngestionRun.objects.earliest("created_at")
    for address in (
        "/",
        "/search",
        "/search?layout=table",
        "/features/finance_f0/",
        "/groups/",
        "/groups/finance/",
        "/services/finance_model/",
        "/lineage/?feature=finance_f0",
        "/runs/",
        f"/runs/{run.pk}/",
    ):
        page.goto(live_server.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert complaints == []


def test_everything_works_without_script(browser: Browser, live_server: LiveServer, vera: User) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/login?next=/features/")
    sign_in(page, vera)
    page.get_by_label("Words of name, tags or description").fill("finance f1")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"q=finance\+f1"))
    page.get_by_role("link", name="finance_f1", exact=True).click()
    expect(page.locator(".drawing--histogram")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()
