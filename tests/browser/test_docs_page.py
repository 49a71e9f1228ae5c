"""The description of the API in a real browser: drawn completely, under the site's policy, without another host."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.visiting import Demo

pytestmark = pytest.mark.browser


def test_the_page_is_drawn_without_another_host(page: Page, demo: Demo, complaints: list[str]) -> None:
    page.goto(f"{demo.address}/api/v1/docs")
    page.wait_for_selector("#operations-values-feature_value")
    page.click("#operations-store-health .opblock-summary-control")
    page.wait_for_selector("#operations-store-health .opblock-body")
    page.click("#operations-store-health .try-out__btn")
    page.click("#operations-store-health .execute")
    page.wait_for_selector("#operations-store-health .live-responses-table .response-col_status")
    assert '"status": "healthy"' in page.inner_text("#operations-store-health .live-responses-table")
    assert complaints == []
