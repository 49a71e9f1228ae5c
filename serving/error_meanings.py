"""What each code of an error of the API means, as the page for those who write programs says it."""

from __future__ import annotations

import inspect

from catalog import errors
from catalog.wording import Promise
from catalog.wording import gettext_lazy as _

_OF_THE_STORE: dict[str, Promise] = {
    "invalid_input": _("What was sent cannot be understood or is not allowed."),
    "not_authenticated": _("No valid token or session."),
    "permission_denied": _("The caller is known and may not do this."),
    "not_found": _("The thing named does not exist, or the caller may not see it."),
    "unknown_feature": _("A feature reference that names nothing."),
    "unknown_entity": _("An entity that has no value for the single feature that was asked for."),
    "conflict": _("The state of the thing does not allow this now."),
    "too_large": _("More was asked for or sent than this call takes."),
    "unavailable": _("A part that this call needs does not answer now."),
}
# Codes that the framework answers with, beside the family of errors.
_OTHERS: tuple[tuple[int, str, Promise], ...] = (
    (405, "method_not_allowed", _("The address does not take the method.")),
    (406, "not_acceptable", _("A media type that the call does not give.")),
    (415, "unsupported_media_type", _("A media type that the call does not take.")),
    (429, "throttled", _("Too many requests; Retry-After says when to come back.")),
    (500, "server_error", _("A fault of the store; its log says more under the id in X-Request-ID.")),
)


def error_meanings() -> list[tuple[int, str, str]]:
    """Status, code and meaning of every error that a call can answer with."""
    family = [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind)
        and issubclass(kind, errors.FeatureStoreError)
        and kind not in (errors.FeatureStoreError, errors.ConfigurationError)
    ]
    told = [(kind.status, kind.code, str(_OF_THE_STORE[kind.code])) for kind in family]
    return sorted([*told, *((status, code, str(meaning)) for status, code, meaning in _OTHERS)])
