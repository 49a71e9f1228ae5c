"""Taking fields out of JSON answers, with an error that names the field when the answer has another shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feature_store_client.errors import UnexpectedResponseError


def required(body: Mapping[str, Any], field: str) -> Any:
    """A field that every answer of this kind has."""
    if field not in body:
        raise UnexpectedResponseError(f"the answer has no {field!r}; it has {', '.join(sorted(body)) or 'nothing'}")
    return body[field]


def text(body: Mapping[str, Any], field: str) -> str | None:
    """A field that is text or null; another scalar is taken as its text."""
    value = body.get(field)
    return None if value is None else str(value)


def mapping(body: Mapping[str, Any], field: str) -> dict[str, Any]:
    """A field that is an object; empty when it is missing or null."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnexpectedResponseError(f"{field!r} of the answer is a {type(value).__name__}, not an object")
    return value


def objects(body: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """A field that is a list of objects and always there."""
    value = required(body, field)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnexpectedResponseError(f"{field!r} of the answer is not a list of objects")
    return value


def instant(body: Mapping[str, Any], field: str) -> datetime | None:
    """A field that is an ISO 8601 instant with a zone, or null or missing."""
    value = body.get(field)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise UnexpectedResponseError(f"{field!r} of the answer is {value!r}, not an ISO 8601 time with a zone")
    return parsed
