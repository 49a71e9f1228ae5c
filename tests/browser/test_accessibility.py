"""axe finds nothing wrong on any page of the demo store, light and dark, wide and narrow, and Tab goes everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from catalog.access import Role
from featurestore_site.error_shape import server_error
from featurestore_site.sign_in_limit import PER_NAME_AND_ADDRESS
from tests import stocked_store as store
from tests.browser.every_page import NOT_PAGES, PAGES, addresses, named_patterns
from tests.visiting import Demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# WCAG 2.2 AA and what axe calls best practice; only these are asked, so that the result does not grow with it.
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# What a page looks like by dark differs from light in its colours only.
COLOURS = {**OPTIONS, "runOnly": ["color-contrast"]}
WIDTHS = (1280, 390)
# What can be pressed, filled or followed; a picture's links count too.
INTERACTIVE = (
    "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select:not([disabled]), "
    "textarea:not([disabled]), summary, [tabindex='0']"
)
MOST_TABS = 600


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    chosen: int = request.param
    return chosen


@pytest.fixture
def tab_of(browser: Browser, width: int) -> Iterator[Callable[..., Page]]:
    """Opens a tab of the width, signed in by the cookies given."""
    opened = []

    def start(*cookies: Any) -> Page:
        # Colours that fade from one to the other have no contrast to look at on their way.
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        opened.append(context)
        context.add_cookies(list(cookies))
        return context.new_page()

    yield start
    for context in opened:
        context.close()


def found_by_axe(tab: Page) -> list[str]:
    """Every violation of the page that is open, light and dark, with the first element that it is about."""
    found = []
    for scheme, options in (("light", OPTIONS), ("dark", COLOURS)):
        tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a text of those that it takes
        found += [
            f"{scheme}: {one['impact']} {one['id']}: {one['help']} ({len(one['nodes'])}): "
            f"{one['nodes'][0]['html'][:200]}"
            for one in Axe().run(tab, options=options).response["violations"]
        ]
    return found


def test_every_address_is_a_page_that_is_looked_at_or_known_not_to_be_one() -> None:
    assert named_patterns() == set(PAGES) | NOT_PAGES
    assert not set(PAGES) & NOT_PAGES


@pytest.mark.parametrize("role", ["administrator", "viewer"])
def test_axe_finds_nothing(demo: Demo, tab_of: Callable[..., Page], role: str) -> None:
    tab = tab_of(demo.cookie(role))
    wrong: dict[str, list[str]] = {}
    for address in addresses(demo):
        answer = tab.goto(demo.address + address)
        assert answer is not None
        assert answer.status == 200, (address, answer.status)
        wrong |= {address: found} if (found := found_by_axe(tab)) else {}
    assert not wrong, "\n".join(f"{address}\n    " + "\n    ".join(found) for address, found in wrong.items())


@pytest.mark.parametrize("address", ["/login", "/nowhere/", "/features/balanse_mean/", "/runs/?group=%00"])
def test_pages_for_everybody_and_pages_of_faults(demo: Demo, tab_of: Callable[..., Page], address: str) -> None:
    tab = tab_of(*([] if address == "/login" else [demo.cookie("viewer")]))
    tab.goto(demo.address + address)
    assert found_by_axe(tab) == []


def test_what_somebody_without_a_role_is_told(demo: Demo, tab_of: Callable[..., Page]) -> None:
    tab = tab_of(demo.cookie(""))
    answer = tab.goto(demo.address + "/groups/")
    assert answer is not None
    assert answer.status == 403
    assert found_by_axe(tab) == []


def too_many_attempts(_: HttpRequest) -> HttpResponse:
    client = Client()
    for _attempt in range(PER_NAME_AND_ADDRESS + 1):
        answer = client.post("/login", {"username": "nobody", "password": "a guess"})
    assert answer.status_code == 429
    return HttpResponse(answer.content)


@pytest.mark.django_db
@pytest.mark.parametrize("answered", [server_error, too_many_attempts])
def test_pages_that_are_hard_to_come_by(
    demo: Demo, tab_of: Callable[..., Page], answered: Callable[[HttpRequest], HttpResponse]
) -> None:
    body = answered(RequestFactory().get("/groups/")).content.decode()
    tab = tab_of()
    tab.route("**/broken/", lambda route: route.fulfill(status=500, content_type="text/html", body=body))
    tab.goto(demo.address + "/broken/")
    assert tab.locator("h1").count() == 1
    assert found_by_axe(tab) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_superuser", [False, True])
def test_an_empty_store(live_server: LiveServer, tab_of: Callable[..., Page], is_superuser: bool) -> None:
    user = store.make_user("erna", Role.VIEWER)
    User.objects.filter(pk=user.pk).update(is_superuser=is_superuser)
    client = Client()
    client.force_login(user)
    tab = tab_of({"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url})
    wrong = {}
    for address in ("/", "/search", "/groups/", "/services/", "/lineage/", "/quality/", "/runs/", "/datasets/",
                    "/entities/", "/api-guide/", "/me/"):  # fmt: skip
        tab.goto(live_server.url + address)
        wrong |= {address: found} if (found := found_by_axe(tab)) else {}
    assert wrong == {}


def test_what_is_sent_by_hand_looks_well_too(demo: Demo, tab_of: Callable[..., Page]) -> None:
    """A view that is kept, a wish, and a token that is shown once: pages that only somebody's own doing brings."""
    tab = tab_of(demo.cookie("data scientist"))
    tab.goto(demo.address + "/search?q=tag:balance")
    tab.get_by_text("Save this view").click()
    tab.get_by_label("Name", exact=True).fill("Looked at")
    tab.get_by_role("button", name="Save", exact=True).click()
    wrong = {"saved view": found_by_axe(tab)}
    tab.goto(demo.address + "/me/")
    wrong["my page with a view"] = found_by_axe(tab)
    tab.goto(demo.address + "/me/tokens/")
    tab.get_by_label("Name", exact=True).fill("looked at")
    tab.get_by_role("button", name="Make the token").click()
    wrong["a new token"] = found_by_axe(tab)
    tab.keyboard.press("Control+k")
    tab.keyboard.type("balance")
    tab.get_by_role("option").first.wait_for()
    wrong["palette"] = found_by_axe(tab)
    assert {where: found for where, found in wrong.items() if found} == {}


def test_the_keyboard_goes_everywhere_and_is_seen(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([demo.cookie("administrator")])
    tab = context.new_page()
    wrong: dict[str, Any] = {}
    for address in addresses(demo, most=1):
        tab.goto(demo.address + address)
        if faults := tabbed_through(tab):
            wrong[address] = faults
    context.close()
    assert wrong == {}


def tabbed_through(tab: Page) -> list[str]:
    """Press Tab until the focus comes round: what was not met, and what was met without being seen."""
    tab.evaluate(_MARK_ALL, INTERACTIVE)
    for _ in range(MOST_TABS):
        tab.keyboard.press("Tab")
        if tab.evaluate(_LOOK_AT_FOCUS):
            break
    found: list[str] = tab.evaluate(_WHAT_IS_LEFT)
    return found


_MARK_ALL = """selector => {
    const shown = element => element.checkVisibility({visibilityProperty: true}) &&
        !(element.closest('details:not([open])') && !element.matches('summary'));
    const radioNotChosen = element => element.type === 'radio' && !element.checked;
    window.waiting = new Set([...document.querySelectorAll(selector)]
        .filter(element => element.tabIndex >= 0 && shown(element) && !radioNotChosen(element)));
    window.unseen = [];
}"""
_LOOK_AT_FOCUS = """() => {
    const element = document.activeElement;
    if (element === document.body || element === null) return true;
    if (!window.waiting.delete(element)) return window.waiting.size === 0;
    const inner = element.querySelector('.d-node__box, .d-run__bar, .d-cell, .d-label, .d-point') || element;
    const [outer, style] = [getComputedStyle(element), getComputedStyle(inner)];
    const seen = (outer.outlineStyle !== 'none' && outer.outlineWidth !== '0px') || outer.boxShadow !== 'none' ||
        (inner !== element && (parseFloat(style.strokeWidth) >= 2 || style.fontWeight > 600));
    const box = element.getBoundingClientRect();
    if (!seen || (box.width === 0 && box.height === 0)) window.unseen.push(element.outerHTML.slice(0, 160));
    return false;
}"""
_WHAT_IS_LEFT = """() => [
    ...[...window.waiting].map(element => 'not reached: ' + element.outerHTML.slice(0, 160)),
    ...window.unseen.map(html => 'not seen: ' + html),
]"""
