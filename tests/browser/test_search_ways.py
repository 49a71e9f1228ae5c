"""Searching in a real browser: while one types, by the keyboard, across sessions."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from catalog.access import Role
from tests import stocked_store as store
from tests.browser.test_ways import sign_in
from tests.pages.filled import fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def vera(transactional_db: None) -> User:
    fill(features=4)
    return store.make_user("vera", Role.VIEWER)


def test_results_follow_while_one_types_and_clicks(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/login?next=/search")
    sign_in(page, vera)
    expect(page.locator(".result")).to_have_count(4)

    page.keyboard.press("/")
    page.keyboard.type("finanse_f2")
    expect(page.locator(".result")).to_have_count(1)
    expect(page.get_by_text("it is read as")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/search\?q=finanse_f2"))
    expect(page.get_by_label("Words of name, tags or description")).to_be_focused()

    page.get_by_label("Words of name, tags or description").fill("tag:money")
    expect(page.locator(".result")).to_have_count(4)
    page.locator(".facet").get_by_role("link", name="float").click()
    expect(page).to_have_url(re.compile(r"data_type=float"))
    page.get_by_role("link", name=re.compile("tag: money")).click()
    expect(page.get_by_label("Words of name, tags or description")).to_have_value("")
    expect(page).to_have_url(re.compile(r"/search\?data_type=float$"))
    page.go_back()
    expect(page.locator("h1")).to_have_text("Features")
    assert complaints == []


def test_two_are_ticked_and_compared(page: Page, live_server: LiveServer, vera: User, complaints: list[str]) -> None:
    page.goto(f"{live_server.url}/login?next=/search")
    sign_in(page, vera)
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    page.get_by_label("Compare finance_f0").check()
    page.get_by_label("Compare finance_f3").check()
    compare.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side")
    assert page.locator("thead th a.mono").all_inner_texts() == ["finance_f0", "finance_f3"]
    assert complaints == []


def test_the_palette_goes_anywhere_by_the_keyboard(
    page: Page, live_server: LiveServer, vera: User, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/login?next=/")
    sign_in(page, vera)
    page.keyboard.press("Control+k")
    page.keyboard.type("finance_f1")
    option = page.get_by_role("option", name="finance_f1 finance")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/features/finance_f1/"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.palette")).not_to_be_visible()
    assert complaints == []


def test_a_shared_view_is_opened_in_another_session(
    page: Page, browser: Browser, live_server: LiveServer, vera: User
) -> None:
    other = store.make_user("victor", Role.VIEWER)
    page.goto(f"{live_server.url}/login?next=/search?q=f2")
    sign_in(page, vera)
    page.get_by_text("Save this view").click()
    page.get_by_role("textbox", name="Name").fill("My second")
    page.get_by_label("Others may open it").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(f"{live_server.url}/search?view=my-second")

    context = browser.new_context(java_script_enabled=False)
    session = context.new_page()
    session.goto(f"{live_server.url}/login?next=/search?view=my-second")
    sign_in(session, other)
    expect(session.get_by_role("heading", level=1)).to_have_text("My second")
    expect(session.locator(".result")).to_have_count(1)
    context.close()
