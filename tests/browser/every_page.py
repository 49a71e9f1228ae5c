"""One or more addresses of every page of the site, so that a new page cannot be forgotten.

A page is whatever answers a GET of the catalog, ingestion and serving with HTML. A pattern that is neither in
``PAGES`` nor in ``NOT_PAGES`` fails the tests that go through all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

from django.urls import URLPattern, URLResolver, get_resolver

from tests.visiting import Demo

_APPS = ("catalog", "ingestion", "serving")
_CUSTOMER = "15634602"
_PURPOSE = "purpose=a+question+of+the+customer"

# Addresses of each page; {failed}, {run}, {before} and {dataset} are the ids of what the demo bank holds.
PAGES: dict[str, tuple[str, ...]] = {
    "catalog:home": ("/",),
    "catalog:search": (
        "/search",
        "/search?layout=table",
        "/search?q=balanse",
        "/search?q=tag:balance+type:float+fresh:<40d",
        "/search?q=nothing_at_all_like_it",
    ),
    "catalog:compare": ("/compare", "/compare?f=balance_mean&f=satisfaction"),
    "catalog:me": ("/me/",),
    "catalog:feature-list": ("/features/",),
    "catalog:feature": (
        "/features/balance_mean/?group=customer_financial",
        "/features/satisfaction/",
        "/features/channel_code/",
        "/features/contact_email/",
        "/features/merchant_embedding/",
        "/features/merchant_average_ticket/?against=first",
    ),
    "catalog:group-list": ("/groups/",),
    "catalog:group": ("/groups/customer_service_desk/", "/groups/merchant_settlements/"),
    "catalog:service-list": ("/services/",),
    "catalog:service": ("/services/churn_model/",),
    "catalog:lineage": (
        "/lineage/",
        "/lineage/?feature=balance_to_salary_ratio&group=customer_derived",
        "/lineage/?feature=satisfaction",
    ),
    "ingestion:quality": ("/quality/",),
    "ingestion:run-list": ("/runs/", "/runs/?state=failed"),
    "ingestion:run-compare": ("/runs/compare/?run={run}&run={before}",),
    "ingestion:run": ("/runs/{run}/", "/runs/{failed}/"),
    "serving:dataset-list": ("/datasets/", "/datasets/?q=nothing_like_it"),
    "serving:dataset": ("/datasets/{dataset}/",),
    "serving:api-guide": ("/api-guide/",),
    "serving:entity-lookup": ("/entities/",),
    "serving:entity-lookup-of": (
        "/entities/customer/",
        f"/entities/customer/?key={_CUSTOMER}&{_PURPOSE}",
        f"/entities/customer/?key=1&{_PURPOSE}",
    ),
    "serving:entity-value": (
        "/features/balance_mean/entity/",
        f"/features/balance_mean/entity/?key={_CUSTOMER}&{_PURPOSE}",
    ),
    "serving:my-tokens": ("/me/tokens/",),
}
# What a form is sent to, and what is a part of a page or a picture.
NOT_PAGES = {
    "catalog:palette",
    "catalog:save-view",
    "catalog:remove-view",
    "catalog:ask-for-feature",
    "catalog:follow-feature",
    "catalog:write-on-feature",
    "catalog:follow-group",
    "catalog:write-on-group",
    "catalog:close-incident",
    "catalog:make-service",
    "catalog:lineage-drawing",
    "ingestion:load-demo",
    "ingestion:demo-progress",
    "ingestion:run-again",
    "ingestion:request-run",
    "serving:verify-dataset",
    "serving:archive-dataset",
    "serving:revoke-my-token",
}


def named_patterns() -> set[str]:
    """``app:name`` of every address of the three apps outside the API and the admin."""
    return set(_names(get_resolver()))


def _names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _names(entry, entry.namespace or namespace)
        elif isinstance(entry, URLPattern) and namespace in _APPS and entry.name is not None:
            yield f"{namespace}:{entry.name}"


def addresses(demo: Demo, *, most: int | None = None) -> list[str]:
    """The addresses of all pages, ``most`` of each, with what the demo bank holds."""
    runs = _asked(demo, "runs?group=customer_financial&kind=ingest")["results"]
    failed = _asked(demo, "runs?state=failed")["results"]
    datasets = _asked(demo, "datasets")["results"]
    ids = {
        "run": runs[0]["id"],
        "before": runs[1]["id"],
        "failed": failed[0]["id"],
        "dataset": datasets[0]["id"],
    }
    return [address.format(**ids) for page in PAGES.values() for address in page[-(most or 0) :]]


def _asked(demo: Demo, call: str) -> Any:
    headers = {"Authorization": f"Token {demo.store.token}"}
    with urlopen(Request(f"{demo.address}/api/v1/{call}", headers=headers), timeout=30) as answer:
        return json.load(answer)
