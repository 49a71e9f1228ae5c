"""docs in a real browser: drawn completely, under the site's policy, without another host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.conftest import require

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    require(CHROMIUM is not None, "Chromium")
    # The browser's driver runs an event loop in this thread, which the database is not used from meanwhile.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def test_the_page_is_drawn_without_another_host(browser: Browser, live_server: LiveServer) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 1600})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/api/v1/docs")
    page.wait_for_selector("#operations-values-feature_value")
    page.click("#operations-store-health .opblock-summary-control")
    page.wait_for_selector("#operations-store-health .opblock-body")
    assert complaints == []
    assert {url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))} == set()
    page.click("#operations-store-health .try-out__btn")
    page.click("#operations-store-health .execute")
    page.wait_for_selector("#operations-store-health .live-responses-table .response-col_status")
    assert '"status": "healthy"' in page.inner_text("#operations-store-health .live-responses-table")
    page.close()
