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
)
from catalog.errors import InvalidInput
from catalog.models import Feature, FeatureGroup, Status

_STATUS_FIELDS = ("status", "status_reason")


def change_feature(*, feature: Feature, changes: Mapping[str, Any], editor: Reader) -> None:
    """Carry out ``changes``, all or none.

    :raises InvalidInput, PermissionDenied, Conflict: as the verbs of :mod:`catalog.editing` do.
    """
    status, reason = _status_of(feature, changes)
    described = {name: value for name, value in changes.items() if name not in _STATUS_FIELDS}
    with transaction.atomic():
        if described:
            edit_feature(feature=feature, changes=described, editor=editor)
        match status:
            case Status.DEPRECATED:
                deprecate_feature(feature=feature, reason=reason)
            case Status.ARCHIVED:
                archive_feature(feature=feature, reason=reason)
            case Status.ACTIVE:
                restore_feature(feature=feature)


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
