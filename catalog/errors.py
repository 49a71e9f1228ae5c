"""The one family of errors that the store shows to people and programs.

Each carries a stable ``code`` (for programs), an HTTP ``status`` and a message that says what was wrong
and what would be right. ``details`` holds the same in machine-readable form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class FeatureStoreError(Exception):
    """Base of the family; not raised itself."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class InvalidInput(FeatureStoreError):
    """What was sent cannot be understood or is not allowed."""

    code = "invalid_input"
    status = 400


class ConfigurationError(InvalidInput):
    """The configuration file or the environment is wrong; the message names key and line."""

    code = "invalid_configuration"


class NotAuthenticated(FeatureStoreError):
    """No valid token or session."""

    code = "not_authenticated"
    status = 401


class PermissionDenied(FeatureStoreError):
    """The caller is known and may not do this."""

    code = "permission_denied"
    status = 403


class NotFound(FeatureStoreError):
    """The thing named does not exist, or the caller may not see it."""

    code = "not_found"
    status = 404


class UnknownReference(NotFound):
    """A feature reference that names nothing; ``details["nearest"]`` lists names that are alike."""

    code = "unknown_feature"


class UnknownEntity(NotFound):
    """An entity that has no value for the single feature that was asked for."""

    code = "unknown_entity"


class Conflict(FeatureStoreError):
    """The state of the thing does not allow this now."""

    code = "conflict"
    status = 409


class TooLarge(FeatureStoreError):
    """More was asked for or sent than this call takes; the message says the way out."""

    code = "too_large"
    status = 413


class Unavailable(FeatureStoreError):
    """A part that this call needs does not answer now; trying again may help."""

    code = "unavailable"
    status = 503
