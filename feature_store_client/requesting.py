"""What callers give to name features, entities and versions, in the form the REST API takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from feature_store_client.errors import InvalidRequestError


def one_or_many(given: str | Iterable[str] | None) -> list[str]:
    """A list of texts; a single text stands for a list of one, None for none."""
    if given is None:
        return []
    return [given] if isinstance(given, str) else [str(item) for item in given]


def selection(*, features: str | Sequence[str] | None, service: str | None) -> dict[str, Any]:
    """The part of a request that says which features: references, or a feature service, and never both."""
    references = one_or_many(features)
    if bool(references) == bool(service):
        raise InvalidRequestError("name the features or a feature service, one of the two")
    return {"service": service} if service else {"features": references}


def reference(name: str, version: str | int | float | None) -> str:
    """The feature reference of a name with or without version."""
    return name if version is None else f"{name}@{version}"


def path_segment(text: str) -> str | None:
    """The text as one segment of a URL path; None for those that servers and proxies rewrite on the way."""
    if not text or text in {".", ".."} or "/" in text or "\\" in text:
        return None
    return quote(text, safe="")


def entities_of(
    *,
    entity_ids: Iterable[Any] | None,
    entities: Iterable[Mapping[str, Any]] | None,
) -> tuple[dict[str, Any], list[Any]]:
    """The part of a request that says which entities when there are several, and the same as a plain list."""
    if (entity_ids is None) == (entities is None):
        raise InvalidRequestError("give entity_ids or entities, one of the two")
    if entities is not None:
        rows = [dict(entity) for entity in entities]
        return {"entities": rows}, rows
    if isinstance(entity_ids, str | Mapping):
        raise InvalidRequestError("entity_ids is a list; give a single one as entity_id")
    listed = list(entity_ids or ())
    return {"entity_ids": listed}, listed


def entity_of(entity_id: Any, join_keys: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The part of a request that says which entity when there is one, and what it was asked by."""
    if (entity_id is None) == (not join_keys):
        raise InvalidRequestError("name the entity by entity_id or by its join keys, one of the two")
    if join_keys:
        return dict(join_keys), dict(join_keys)
    return {"entity_id": entity_id}, entity_id
