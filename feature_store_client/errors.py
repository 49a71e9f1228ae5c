"""What can go wrong in a call, as types that a caller can catch one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FeatureStoreClientError(Exception):
    """Base of every error the SDK raises.

    ``code`` is the code of the server's error (or the SDK's own, such as ``connection_failed``), ``status`` the
    HTTP status (``None`` when no answer came), ``details`` what the server added.
    """

    default_code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.status = status
        self.details: dict[str, Any] = dict(details or {})


class AuthenticationError(FeatureStoreClientError):
    """No token, or one that is unknown, expired or revoked (401)."""

    default_code = "not_authenticated"


class PermissionDeniedError(FeatureStoreClientError):
    """The token is good, but what it asks for is not allowed to it (403)."""

    default_code = "permission_denied"


class NotFoundError(FeatureStoreClientError):
    """What was asked for by name or id does not exist (404)."""

    default_code = "not_found"


class FeatureNotFoundError(NotFoundError):
    """No feature (or version of it) has this reference; the message carries the nearest names."""

    default_code = "unknown_feature"

    @property
    def nearest(self) -> list[str]:
        """The existing names nearest to the one asked for, best first; may be empty."""
        names = self.details.get("nearest")
        return [str(name) for name in names] if isinstance(names, list) else []


class EntityNotFoundError(NotFoundError):
    """The feature has no value for this entity."""

    default_code = "unknown_entity"


class InvalidRequestError(FeatureStoreClientError, ValueError):
    """The request makes no sense as written, found by the server (400) or already by the SDK (``status`` None)."""

    default_code = "invalid_input"


class ConflictError(FeatureStoreClientError):
    """The request collides with the present state, such as a run that is already going (409)."""

    default_code = "conflict"


class RequestTooLargeError(FeatureStoreClientError):
    """More rows, entities or bytes than the server takes in one request (413)."""

    default_code = "too_large"


class RateLimitedError(FeatureStoreClientError):
    """Too many requests, still after the retries (429); ``retry_after`` is the server's wish in seconds."""

    default_code = "throttled"
    retry_after: float | None = None


class ServerUnavailableError(FeatureStoreClientError):
    """No answer: connection refused or broken, time out, or 502, 503, 504. Trying again later can help."""

    default_code = "unavailable"


class ServerError(FeatureStoreClientError):
    """The server failed while answering (any other 5xx)."""

    default_code = "server_error"


class UnexpectedResponseError(FeatureStoreClientError):
    """What answered does not speak this API: no JSON, another shape, a redirect, a truncated stream."""

    default_code = "unexpected_response"


class RunFailedError(FeatureStoreClientError):
    """A run that was asked to have succeeded ended as failed or cancelled."""

    default_code = "run_failed"


class RunTimeoutError(FeatureStoreClientError, TimeoutError):
    """A run was not finished within the time given to wait for it; it goes on at the server."""

    default_code = "run_timeout"
