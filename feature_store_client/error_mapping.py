"""From an HTTP answer that is an error to the exception that says so."""

from __future__ import annotations

import json
from typing import Any

import requests

from feature_store_client.errors import (
    AuthenticationError,
    ConflictError,
    EntityNotFoundError,
    FeatureNotFoundError,
    FeatureStoreClientError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTooLargeError,
    ServerError,
    ServerUnavailableError,
    UnexpectedResponseError,
)

_BY_CODE: dict[str, type[FeatureStoreClientError]] = {
    "unknown_feature": FeatureNotFoundError,
    "unknown_entity": EntityNotFoundError,
}
_BY_STATUS: dict[int, type[FeatureStoreClientError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    429: RateLimitedError,
    502: ServerUnavailableError,
    503: ServerUnavailableError,
    504: ServerUnavailableError,
}
_EXCERPT_CHARACTERS = 200


def error_from_response(response: requests.Response, *, retry_after: float | None = None) -> FeatureStoreClientError:
    """The exception for an answer with a status outside 2xx; never raises itself."""
    status = response.status_code
    if 300 <= status < 400:
        target = response.headers.get("Location", "another address")
        return UnexpectedResponseError(
            f"{response.url} redirects to {target}; give the final address as base_url", status=status
        )
    shape = _error_shape(response)
    if shape is None:
        return _error_without_shape(response, retry_after=retry_after)
    code = str(shape.get("code") or "")
    details = shape.get("details")
    error = _class_for(status, code)(
        str(shape.get("message") or response.reason or "error"),
        code=code,
        status=status,
        details=details if isinstance(details, dict) else {"details": details} if details else None,
    )
    if isinstance(error, FeatureNotFoundError):
        error = _with_nearest_names(error)
    if isinstance(error, RateLimitedError):
        error.retry_after = retry_after
    return error


def _class_for(status: int, code: str) -> type[FeatureStoreClientError]:
    if status == 404 and code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ServerError if status >= 500 else InvalidRequestError


def _error_shape(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    shape = body.get("error") if isinstance(body, dict) else None
    return shape if isinstance(shape, dict) else None


def _error_without_shape(response: requests.Response, *, retry_after: float | None) -> FeatureStoreClientError:
    """Proxies and load balancers answer in their own words: keep the status, show the start of what they said."""
    status = response.status_code
    excerpt = response.content[:_EXCERPT_CHARACTERS].decode("utf-8", "replace").strip()
    message = (
        f"{status} {response.reason or ''}".strip() + f" from {response.url}" + (f": {excerpt}" if excerpt else "")
    )
    if status != 404 and (status in _BY_STATUS or status >= 500):
        error = _class_for(status, "")(message, status=status)
        if isinstance(error, RateLimitedError):
            error.retry_after = retry_after
        return error
    return UnexpectedResponseError(f"{message} (is base_url the address of a feature store?)", status=status)


def _with_nearest_names(error: FeatureNotFoundError) -> FeatureNotFoundError:
    missing = [name for name in error.nearest if name not in error.message]
    if not missing:
        return error
    return FeatureNotFoundError(
        f"{error.message} (nearest: {', '.join(missing)})",
        code=error.code,
        status=error.status,
        details=error.details,
    )
