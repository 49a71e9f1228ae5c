"""A real browser: the installed Chromium, driven by playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.conftest import require

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    require(CHROMIUM.is_file(), f"a browser at {CHROMIUM}")
    # playwright's loop runs in this thread, and Django refuses its database in a thread with a loop.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def complaints() -> list[str]:
    """What the console of the browser says: errors, and what the content security policy has blocked."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A tab of a fresh profile that may write to the clipboard; errors and requests to other hosts are collected."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("requestfailed", lambda request: _only_left(request, complaints))
    tab.on("request", lambda request: _only_ours(request.url, complaints))
    yield tab
    context.close()


def _only_left(request: Request, complaints: list[str]) -> None:
    # A page that is left for another before it has come is no fault; whatever else does not come is.
    if not (request.is_navigation_request() and request.failure == "net::ERR_ABORTED"):
        complaints.append(f"failed: {request.url}: {request.failure}")


def _only_ours(url: str, complaints: list[str]) -> None:
    if not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:")):
        complaints.append(f"asked another host: {url}")
