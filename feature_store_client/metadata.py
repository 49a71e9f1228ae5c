"""The calls that read the catalog and the state of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from feature_store_client import reading
from feature_store_client.catalog_results import FeatureInfo, Health, Lineage
from feature_store_client.connected import Connected
from feature_store_client.error_mapping import error_from_response
from feature_store_client.errors import InvalidRequestError, UnexpectedResponseError
from feature_store_client.http import JSON_TYPE, Params, json_object
from feature_store_client.requesting import one_or_many, path_segment

_UNHEALTHY = 503


class MetadataCalls(Connected):
    """Reading what exists and how it is."""

    def list_features(self, **filters: str | int | bool | None) -> Iterator[FeatureInfo]:
        """Every feature that the token may see, page after page as it is iterated.

        Filters are those of the API: group, entity, data_type, tag, owner, status, search, ordering, page_size.
        """
        params = {name: _filter_text(value) for name, value in filters.items() if value is not None}
        yield from self._every_feature("metadata/features", params)

    def get_feature_metadata(self, name: str) -> FeatureInfo:
        """A feature by its reference, with statistics and quality; versions and more are in ``details``."""
        return FeatureInfo.from_json(self._transport.get_json(f"metadata/features/{_segment(name)}"))

    def search_features(
        self, tags: str | list[str] | None = None, q: str | None = None, *, match: Literal["any", "all"] = "any"
    ) -> list[FeatureInfo]:
        """Features by tags (any of them, or all) and words, best first."""
        wanted = one_or_many(tags)
        if not wanted and not q:
            raise InvalidRequestError("search by tags, by q, or by both")
        params: dict[str, str] = {"match": match} if match != "any" else {}
        if wanted:
            params["tags"] = ",".join(wanted)
        if q:
            params["q"] = q
        return list(self._every_feature("metadata/features/search", params))

    def get_lineage(self, name: str, *, depth: int | None = None) -> Lineage:
        """Where a feature comes from and who uses it, up and down, at most ``depth`` steps away."""
        return Lineage.from_json(
            self._transport.get_json(
                f"metadata/features/{_segment(name)}/lineage",
                params=None if depth is None else {"depth": str(depth)},
            )
        )

    def get_quality(self, name: str) -> dict[str, Any]:
        """The ``measures`` of a feature against their thresholds, and its ``rules``, each with its last thirty
        ``checks``, newest first, as the server reports them."""
        return self._transport.get_json(f"metadata/features/{_segment(name)}/quality")

    def get_audit(self, name: str) -> Iterator[dict[str, Any]]:
        """What was changed of a feature, newest first: ``at``, ``actor``, ``action``, ``before``, ``after`` and more.
        Needs the capability edit_catalog."""
        yield from self._every_page(f"metadata/features/{_segment(name)}/audit", {})

    def stats(self) -> dict[str, Any]:
        """Totals, freshness, usage, quality, latency and storage, as the server reports them."""
        return self._transport.get_json("stats")

    def health(self) -> Health:
        """Whether the server is well; needs no token. A server that says that it is not (503) is an answer too.

        :raises ServerUnavailableError: when nothing answers.
        """
        response = self._transport.send("GET", "health", accept=JSON_TYPE, idempotent=True, accept_status=(_UNHEALTHY,))
        healthy = response.status_code != _UNHEALTHY
        try:
            answer = json_object(response)
            status = str(reading.required(answer, "status"))
        except UnexpectedResponseError:
            if healthy:
                raise
            # A proxy without a server behind it says 503 in its own words.
            raise error_from_response(response) from None
        return Health(healthy=healthy, status=status, checks=reading.mapping(answer, "checks"))

    def _every_feature(self, path: str, params: Params) -> Iterator[FeatureInfo]:
        for entry in self._every_page(path, params):
            yield FeatureInfo.from_json(entry)

    def _every_page(self, path: str, params: Params) -> Iterator[dict[str, Any]]:
        """The next page is asked for at the client's own address, with the query of the link: behind a proxy
        the link may name another host, and the token goes to no other."""
        seen: set[str] = set()
        while True:
            answer = self._transport.get_json(path, params=params)
            yield from reading.objects(answer, "results")
            following = reading.text(answer, "next")
            if following is None:
                return
            query = urlsplit(following).query
            if query in seen:
                raise UnexpectedResponseError(f"the pages of {path} go round in a circle")
            seen.add(query)
            params = parse_qs(query, keep_blank_values=True)


def _segment(name: str) -> str:
    segment = path_segment(name)
    if segment is None:
        raise InvalidRequestError(f"{name!r} is not a feature reference")
    return segment


def _filter_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
