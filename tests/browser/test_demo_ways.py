"""The ways that people go through the demo store, in a real browser, by hand and eye."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.installation import PROJECT
from tests.visiting import Demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CUSTOMER = "15634602"
Visit = Callable[..., Page]


@pytest.fixture
def visit(demo: Demo, browser: Browser) -> Iterator[Visit]:
    """Opens a page of the demo in a fresh profile, signed in as ``role``; closed after the test."""
    opened: list[BrowserContext] = []

    def start(address: str, *, role: str = "data scientist", **options: object) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)  # type: ignore[arg-type]
        opened.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_cookies([demo.cookie(role)])
        page = context.new_page()
        page.goto(demo.address + address)
        return page

    yield start
    for context in opened:
        context.close()


def run_python(code: str, *, token: str) -> str:
    """What the code prints, run as its reader would: by another Python, with the token in the environment."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "FEATURESTORE_TOKEN": token},
        capture_output=True,
        text=True,
        timeout=400,
        check=True,
    )
    return done.stdout.strip()


def test_from_a_misspelt_word_to_a_snippet_that_works(visit: Visit, demo: Demo) -> None:
    page = visit("/")
    page.get_by_role("searchbox").first.fill("balanse meen")
    page.get_by_role("searchbox").first.press("Enter")
    page.locator(".result__title").get_by_role("link", name="balance_mean", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("balance_mean")

    python = page.locator(".snippet", has=page.locator("#use-python"))
    python.get_by_role("button", name="Copy").click()
    expect(python.get_by_role("button")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")

    assert f'FeatureStoreClient("{demo.address}")' in copied
    *before, last = copied.splitlines()
    printed = run_python("\n".join([*before, f"print({last})"]), token=demo.store.token)
    assert re.fullmatch(r"\d+\.\d+ PRESENT", printed), printed


def test_two_features_side_by_side(visit: Visit) -> None:
    page = visit("/search?q=transaction+amount")
    page.get_by_label("Compare transaction_amount", exact=True).check()
    page.get_by_label("Compare amount_per_transaction", exact=True).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side")
    table = page.locator(".table--compare")
    expect(table.locator("thead th")).to_have_count(2)
    expect(table).to_contain_text("transaction_amount")
    expect(table).to_contain_text("amount_per_transaction")


def test_along_the_lineage_to_the_source_and_back(visit: Visit) -> None:
    page = visit("/features/balance_to_salary_ratio/?group=customer_derived")
    page.get_by_role("link", name="Follow it further").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("balance_to_salary_ratio")
    page.locator(".outline").first.get_by_role("link", name=re.compile("fact_customer_features")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("fact_customer_features")
    page.locator(".outline").last.get_by_role("link", name=re.compile("balance_to_salary_ratio")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("balance_to_salary_ratio")


def test_an_entity_at_a_time_that_is_over(visit: Visit) -> None:
    then = datetime.now(UTC) - timedelta(days=10)
    page = visit("/entities/customer/")
    page.get_by_label("customer_id").fill(CUSTOMER)
    page.get_by_label("At (UTC)").fill(f"{then:%Y-%m-%dT%H:%M:%SZ}")
    page.get_by_label("What for").fill("a question of the customer")
    page.get_by_role("button", name="Look up").click()
    row = page.get_by_role("row", name=re.compile(r"^balance_mean "))
    expect(row).to_be_visible()
    expect(page.locator(".trust-line")).to_contain_text("online is the present")
    row.get_by_role("link", name=re.compile("why")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("balance_mean")


def test_why_a_run_failed(visit: Visit) -> None:
    page = visit("/", role="data engineer")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Quality").click()
    failing = page.locator("section", has=page.locator("#failing"))
    one = failing.get_by_role("listitem").filter(has_text="customer_service_desk").first
    one.get_by_role("link", name="customer_service_desk").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("customer_service_desk")
    failed = page.get_by_role("row").filter(has_text="failed").first
    failed.get_by_role("link", name="ingestion").click()
    expect(page.get_by_text("The run failed", exact=True)).to_be_visible()
    expect(page.locator(".banner--error")).to_contain_text("satisfaction is above 5 (up to 10)")
    expect(page.get_by_role("row").filter(has_text="max value").first).to_be_visible()


def test_a_saved_view_in_another_session(visit: Visit, demo: Demo) -> None:
    page = visit("/search?q=tag:merchants+type:float")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name", exact=True).fill("Numbers of merchants")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Numbers of merchants")
    address = page.url.removeprefix(demo.address)

    other = visit("/search")
    other.get_by_role("link", name="Numbers of merchants").click()

    assert other.url.removeprefix(demo.address).split("&")[0] == address.split("&")[0]
    expect(other.locator(".result__title")).to_contain_text(["merchant_average_ticket"])


def test_all_of_it_by_keyboard(visit: Visit) -> None:
    page = visit("/groups/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_contain_text("Skip")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to")).to_be_visible()
    page.keyboard.type("merchant_av")
    expect(page.get_by_role("option").first).to_contain_text("merchant_average_ticket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("merchant_average_ticket")
    page.keyboard.press("/")
    page.keyboard.type("credit score")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q=credit"))
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.textContent.trim()"))
        outline = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement);"
            " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()"
        )
        assert outline, page.evaluate("document.activeElement.outerHTML")[:200]
        if page.evaluate("document.activeElement.textContent.trim()") == "credit_score_mean":
            break
    assert "credit_score_mean" in seen
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("credit_score_mean")


def test_all_of_it_without_script(visit: Visit) -> None:
    page = visit("/", java_script_enabled=False)
    page.get_by_role("searchbox").first.fill("balanse")
    page.get_by_role("searchbox").first.press("Enter")
    page.locator(".result__title").get_by_role("link", name="balance_mean", exact=True).click()
    expect(page.locator("#use-python")).to_contain_text("get_feature(")
    expect(page.locator("svg.drawing").first).to_be_visible()
    page.get_by_role("link", name="Follow it further").click()
    page.get_by_label("Steps to its sources").select_option("1")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("up=1"))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Quality").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quality")
    page.goto(page.url.split("/quality")[0] + f"/entities/customer/?key={CUSTOMER}&purpose=a+test")
    expect(page.get_by_role("row", name=re.compile(r"^balance_mean "))).to_be_visible()
    page.goto(page.url.split("/entities")[0] + "/search?q=transaction")
    boxes = page.locator(".result__pick input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".table--compare thead th")).to_have_count(2)
