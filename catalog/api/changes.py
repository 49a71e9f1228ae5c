"""Changes of description and status that come in one request, made in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from catalog.access import Reader
from catalog.editing import (
    archive_feature,
    archive_group,
    deprecate_feature,
    deprecate_group,
    edit_feature,
    edit_group,
    restore_feature,
    restore_group,
    set_replacement,
)
from catalog.errors import InvalidInput
from catalog.models import Feature, FeatureGroup, Status
from catalog.references import resolve_references

_STATUS_FIELDS = ("status", "status_reason", "replacement")


def change_feature(*, feature: Feature, changes: Mapping[str, Any], editor: Reader) -> None:
    """Carry out ``changes``, all or none.

    :raises InvalidInput, PermissionDenied, Conflict: as the verbs of :mod:`catalog.editing` do.
    """
    status, reason = _status_of(feature, changes)
    described = {name: value for name, value in changes.items() if name not in _STATUS_FIELDS}
    replacement = _replacement_of(changes.get("replacement"), editor)
    with transaction.atomic():
        if described:
            edit_feature(feature=feature, changes=described, editor=editor)
        match status:
            case Status.DEPRECATED:
                deprecate_feature(feature=feature, reason=reason, replacement=replacement)
            case Status.ARCHIVED:
                archive_feature(feature=feature, reason=reason)
            case Status.ACTIVE:
                restore_feature(feature=feature)
        if "replacement" in changes and status != Status.DEPRECATED:
            set_replacement(feature=feature, replacement=replacement)


def change_group(*, group: FeatureGroup, changes: Mapping[str, Any], editor: Reader) -> None:
    """Carry out ``changes``, all or none.

    :raises InvalidInput, PermissionDenied, Conflict: as the verbs of :mod:`catalog.editing` do.
    """
    status, reason = _status_of(group, changes)
    described = {name: value for name, value in changes.items() if name not in _STATUS_FIELDS}
    with transaction.atomic():
        if described:
            edit_group(group=group, changes=described, editor=editor)
        match status:
            case Status.DEPRECATED:
                deprecate_group(group=group, reason=reason)
            case Status.ARCHIVED:
                archive_group(group=group, reason=reason)
            case Status.ACTIVE:
                restore_group(group=group)


def _replacement_of(reference: str | None, editor: Reader) -> Feature | None:
    if reference is None:
        return None
    if "@" in reference:
        raise InvalidInput(
            "a feature is replaced by another feature: name it without version", details={"field": "replacement"}
        )
    return resolve_references([reference], user=editor)[0].version.feature


def _status_of(instance: Feature | FeatureGroup, changes: Mapping[str, Any]) -> tuple[str | None, str]:
    """The status to move to, None for the present one, and why."""
    if not changes:
        raise InvalidInput("nothing to change; send at least one field", details={"fields": []})
    status, reason = changes.get("status"), changes.get("status_reason", "")
    if status == instance.status:
        status = None
    if reason and status is None:
        raise InvalidInput(
            "status_reason says why the status changes; send it with another status",
            details={"field": "status_reason", "status": instance.status},
        )
    return status, reason
