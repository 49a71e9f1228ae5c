"""Walks the pages of an installed store as one person, from link to link; run as a script within the installation.

    python tests/walk_pages.py USERNAME [PAGES_PER_ROUTE]

prints one JSON object per address that a page links to, JSON twins and downloads among them: its address, the page
that links there first, whether it is a page ("html"), route, status, bytes, queries, milliseconds, other hosts that
it would ask, elements with code or style of their own, links into the admin, and static files. An address that no
route answers has the route null.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, deque
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import django
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

PROJECT = Path(__file__).resolve().parents[1]
FOLLOWED = ("catalog", "ingestion", "serving")
# Static files are looked at as what a page fetches; the admin has its own tests; signing out would end the walk.
NOT_WALKED = ("/static/", "/admin/", "/logout")
ADDRESSES = {
    "a": "href",
    "form": "action",
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "use": "href",
}


class Links(HTMLParser):
    """What a page leads to (``links``), and what the browser fetches for it (``fetched``)."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script" and "src" not in given:
            self.inline.append(tag)
        value = given.get(ADDRESSES.get(tag, ""))
        is_twin = tag == "link" and given.get("rel") == "alternate"
        if value is not None and (tag == "a" or is_twin):
            self.links.append(value)
        elif value is not None and not (tag == "form" and given.get("method", "get").lower() == "post"):
            self.fetched.append(value)


def main(username: str, per_route: int) -> None:
    django.setup()
    walk(username, per_route)


def walk(username: str, per_route: int) -> None:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model().objects.get(username=username))
    waiting, linked_from, of_route = deque(["/"]), {"/": ""}, Counter[str]()
    while waiting:
        address = waiting.popleft()
        try:
            match = resolve(urlsplit(address).path)
        except Resolver404:
            nowhere = {"address": address, "linked_from": linked_from[address], "route": None, "status": 404}
            print(json.dumps({**nowhere, "html": False}))
            continue
        if of_route[match.view_name] >= per_route:
            continue
        of_route[match.view_name] += 1
        if not address.startswith("/api/"):
            client.get(address)  # The first reading fills the caches of the process, as for everybody after.
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        page = Links()
        is_html = answer.headers.get("Content-Type", "").startswith("text/html")
        if is_html:
            page.feed(body.decode())
        hosts = {urlsplit(value).netloc for value in page.fetched} - {"", "127.0.0.1"}
        print(
            json.dumps(
                {
                    "address": address,
                    "linked_from": linked_from[address],
                    "route": match.view_name,
                    "status": answer.status_code,
                    "html": is_html,
                    "bytes": len(body),
                    "queries": len(queries),
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                    "hosts": sorted(hosts),
                    "inline": page.inline,
                    "admin": [link for link in page.links if link.startswith("/admin/")],
                    "fetched": sorted({urlsplit(value).path for value in page.fetched if "/static/" in value}),
                }
            )
        )
        for link in page.links:
            found = urldefrag(urljoin(address, link))[0]
            parts = urlsplit(found)
            if parts.netloc or parts.scheme or parts.path.startswith(NOT_WALKED) or found in linked_from:
                continue
            linked_from[found] = address
            waiting.append(found)


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12)
