"""A real browser: the installed Chromium, driven by playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.conftest import require
from tests.quick_started import QuickStarted
from tests.visiting import Demo, sign_in_all

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
def chromium() -> Path:
    require(CHROMIUM.is_file(), f"a browser at {CHROMIUM}")
    return CHROMIUM


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """Open while the tests of this folder run: what other tests run would find playwright's loop in their thread."""
    # playwright's loop runs in this thread, and Django refuses its database in a thread with a loop.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="session")
def demo(chromium: Path, quick_started: QuickStarted, served: str) -> Demo:
    """The quickstart store, served, with a person of every role signed in."""
    return Demo(address=served, store=quick_started, sessions=sign_in_all(quick_started))


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
    # What is given up because another page or newer results are asked for is no fault; whatever else does not come is.
    given_up = request.is_navigation_request() or request.resource_type == "fetch"
    if not (given_up and request.failure == "net::ERR_ABORTED"):
        complaints.append(f"failed: {request.url}: {request.failure}")


def _only_ours(url: str, complaints: list[str]) -> None:
    if not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:")):
        complaints.append(f"asked another host: {url}")
