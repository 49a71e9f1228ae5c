"""Errors as the client of Feast understands them: it raises the class of its own that the answer names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from rest_framework import exceptions

from catalog.access import Reader
from catalog.errors import FeatureStoreError, InvalidInput, NotFound, PermissionDenied, UnknownReference
from catalog.models import FeatureGroup
from catalog.references import parse_reference
from serving.feast.names import NameCollision

_MODULE = "feast.errors"
_REFUSED = (
    exceptions.NotAuthenticated,
    exceptions.AuthenticationFailed,
    exceptions.PermissionDenied,
    DjangoPermissionDenied,
    PermissionDenied,
)


def feast_error(name: str, told: Mapping[str, Any]) -> str:
    """The body of an error, a JSON text that holds JSON: Feast's three fields, and ours beside them.

    ``told`` is the error as the rest of the API says it: ``code``, ``message``, ``details``.
    """
    return orjson.dumps({"module": _MODULE, "class": name, **told}).decode()


def error_class(error: Exception, *, user: Callable[[], Reader]) -> str:
    """The name of Feast's class for an error of ours; ``user`` is asked for only where it matters."""
    match error:
        case NameCollision():
            return "FeatureNameCollisionError"
        case UnknownReference():
            return _of_unknown(error, user())
        case NotFound() if "service" in error.details:
            return "FeatureServiceNotFoundException"
        case NotFound():
            return "FeastObjectNotFoundException"
        case _ if isinstance(error, _REFUSED):
            return "FeastPermissionError"
    return "FeastError"


def _of_unknown(error: FeatureStoreError, user: Reader) -> str:
    """Feast tells an unknown feature view from a view that lacks the feature."""
    try:
        group = parse_reference(error.details.get("reference")).group
    except InvalidInput:
        group = None
    if group is not None and not FeatureGroup.objects.visible_to(user).filter(name=group).exists():
        return "FeatureViewNotFoundException"
    return "SpecifiedFeaturesNotPresentError"
