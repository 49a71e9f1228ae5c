"""Edits of what the catalog says about groups and features, by hand: each one atomic and audited.

Definitions are not edited: a changed definition is a new version (:mod:`catalog.registration`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from catalog.access import Capability, Reader, may
from catalog.audit import record, snapshot
from catalog.disclosure import SENSITIVE
from catalog.errors import Conflict, InvalidInput, PermissionDenied
from catalog.models import Feature, FeatureGroup, FeatureService, FeatureVersion, Status, Tag

FEATURE_FIELDS = frozenset({"description", "owner", "unit", "sensitivity", "tags", "default_version"})
GROUP_FIELDS = frozenset(
    {"description", "owner", "sensitivity", "tags", "max_age", "retention", "freshness", "schedule"}
)
TAG_LENGTH = 60
_REASON_LENGTH = 500

_Described = TypeVar("_Described", bound=FeatureGroup | Feature)


def edit_feature(*, feature: Feature, changes: Mapping[str, Any], editor: Reader) -> Feature:
    """``feature`` with ``changes`` (of :data:`FEATURE_FIELDS`); ``tags`` are names, all that it has from now on.

    :raises InvalidInput: on another field, or a value that the field does not take.
    :raises PermissionDenied: when values would be shown to more readers and ``editor`` may not see them.
    """
    _refuse_others(changes, FEATURE_FIELDS, "feature")
    version = changes.get("default_version")
    if version is not None and not (isinstance(version, FeatureVersion) and version.feature_id == feature.pk):
        raise InvalidInput(
            f"the default version of {feature.name} is one of its own versions, not {version}",
            details={"fields": {"default_version": ["not a version of this feature"]}},
        )
    if version is not None and version.status == Status.ARCHIVED:
        raise InvalidInput(f"{version} is archived, and so cannot be the default version")
    return _edit(feature, changes, editor)


def edit_group(*, group: FeatureGroup, changes: Mapping[str, Any], editor: Reader) -> FeatureGroup:
    """``group`` with ``changes`` (of :data:`GROUP_FIELDS`); ``tags`` are names, all that it has from now on.

    :raises InvalidInput: on another field, or a value that the field does not take.
    :raises PermissionDenied: when values would be shown to more readers and ``editor`` may not see them.
    """
    _refuse_others(changes, GROUP_FIELDS, "group")
    return _edit(group, changes, editor)


def deprecate_feature(*, feature: Feature, reason: str, replacement: Feature | None = None) -> Feature:
    """Say that ``feature`` should no longer be used, why, and what to use instead; it is served as before.

    :raises InvalidInput: without a reason, with one that is too long, or when it would replace itself.
    :raises Conflict: when it is deprecated or archived already.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput("say why it is deprecated: its users read the reason", details={"fields": {"reason": []}})
    if replacement is not None:
        if replacement.pk == feature.pk:
            raise InvalidInput(f"{feature.name} cannot replace itself")
        reason = f"{reason.rstrip('.')}. Use {replacement.name} instead."
    return _move(feature, to=Status.DEPRECATED, action="deprecate", reason=reason)


def restore_feature(*, feature: Feature) -> Feature:
    """Bring a deprecated or archived feature back into use.

    :raises Conflict: when it is active.
    """
    return _move(feature, to=Status.ACTIVE, action="restore")


def archive_feature(*, feature: Feature, reason: str = "") -> Feature:
    """Stop ingesting and serving ``feature``; its history stays.

    :raises Conflict: when it is archived already, or a service that is not archived pins it.
    """
    pinning = FeatureService.objects.filter(members__feature=feature).exclude(status=Status.ARCHIVED).distinct()
    _refuse_pinned(feature.name, pinning)
    return _move(feature, to=Status.ARCHIVED, action="archive", reason=reason)


def deprecate_group(*, group: FeatureGroup, reason: str = "") -> FeatureGroup:
    """Say that the features of ``group`` should no longer be used; they are ingested and served as before.

    :raises Conflict: when it is deprecated or archived already.
    """
    return _move(group, to=Status.DEPRECATED, action="deprecate", reason=reason)


def restore_group(*, group: FeatureGroup) -> FeatureGroup:
    """Bring a deprecated or archived group back into use.

    :raises Conflict: when it is active.
    """
    return _move(group, to=Status.ACTIVE, action="restore")


def archive_group(*, group: FeatureGroup, reason: str = "") -> FeatureGroup:
    """Stop ingesting and serving ``group``; its history stays.

    :raises Conflict: when it is archived already, or a service that is not archived pins one of its features.
    """
    pinning = FeatureService.objects.filter(members__feature__group=group).exclude(status=Status.ARCHIVED).distinct()
    _refuse_pinned(group.name, pinning)
    return _move(group, to=Status.ARCHIVED, action="archive", reason=reason)


def tag_names(texts: Iterable[str]) -> list[str]:
    """The names as tags keep them: trimmed, in lower case, each once, in alphabetical order.

    :raises InvalidInput: when one is empty or longer than :data:`TAG_LENGTH`.
    """
    names = sorted({str(text).strip().lower() for text in texts})
    wrong = [name for name in names if not name or len(name) > TAG_LENGTH or "," in name]
    if wrong:
        raise InvalidInput(
            f"{wrong[0]!r} is no tag: use 1 to {TAG_LENGTH} characters and no comma",
            details={"fields": {"tags": wrong}},
        )
    return names


def _refuse_others(changes: Mapping[str, Any], allowed: frozenset[str], what: str) -> None:
    others = sorted(changes.keys() - allowed)
    if not others:
        return
    near = difflib.get_close_matches(others[0], sorted(allowed), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(allowed))}"
    raise InvalidInput(
        f"{', '.join(others)} of a {what} cannot be edited{hint}",
        details={"fields": dict.fromkeys(others, ["cannot be edited"])},
    )


def _refuse_pinned(name: str, services: Iterable[FeatureService]) -> None:
    pinned = [service.name for service in services]
    if pinned:
        raise Conflict(
            f"{name} is pinned by {', '.join(pinned)}; archive the service or pin another version first",
            details={"services": pinned},
        )


def _edit(instance: _Described, changes: Mapping[str, Any], editor: Reader) -> _Described:
    names = None if "tags" not in changes else tag_names(changes["tags"])
    values = {name: value for name, value in changes.items() if name != "tags"}
    with transaction.atomic():
        locked = _locked(instance)
        before = _with_tags(locked)
        level = _sensitivity_of(locked)
        for name, value in values.items():
            setattr(locked, name, value)
        _check(locked, values)
        _refuse_opening(editor, level, _sensitivity_of(locked))
        locked.save(update_fields=[*values, "updated_at"])
        if names is not None:
            locked.tags.set([Tag.objects.get_or_create(name=name)[0] for name in names])
        record(action="update", instance=locked, before=before, after=_with_tags(locked))
    return locked


def _sensitivity_of(instance: FeatureGroup | Feature) -> str:
    return instance.effective_sensitivity if isinstance(instance, Feature) else instance.sensitivity


def _refuse_opening(editor: Reader, before: str, after: str) -> None:
    # Otherwise whoever may edit could read every value, by calling it public first.
    if before in SENSITIVE and after not in SENSITIVE and not may(editor, Capability.READ_SENSITIVE):
        raise PermissionDenied(
            f"from {before} to {after} shows the values to every reader; a steward may do that",
            details={"before": before, "after": after},
        )


def _check(instance: FeatureGroup | Feature, values: Mapping[str, Any]) -> None:
    try:
        instance.clean_fields(
            exclude={field.name for field in instance._meta.concrete_fields if field.name not in values}
        )
    except ValidationError as error:
        fields = error.message_dict
        told = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
        raise InvalidInput(told, details={"fields": fields}) from error


def _with_tags(instance: FeatureGroup | Feature) -> dict[str, Any]:
    tags = sorted(instance.tags.values_list("name", flat=True))
    return {**snapshot(instance, FEATURE_FIELDS | GROUP_FIELDS), "tags": tags}


def _move(instance: _Described, *, to: Status, action: str, reason: str = "") -> _Described:
    """``instance`` in the status ``to``, with its reason where the model keeps one; the audit keeps it always."""
    if len(reason) > _REASON_LENGTH:
        raise InvalidInput(f"a reason has at most {_REASON_LENGTH} characters, and this one has {len(reason)}")
    with transaction.atomic():
        locked = _locked(instance)
        refused = {to, Status.ARCHIVED} if to == Status.DEPRECATED else {to}
        if locked.status in refused:
            raise Conflict(f"{locked} is {locked.status} already", details={"status": locked.status})
        kept = ["status", "status_reason"] if isinstance(locked, Feature) else ["status"]
        before = snapshot(locked, kept)
        locked.status = to
        if isinstance(locked, Feature):
            locked.status_reason = reason
        locked.save(update_fields=[*kept, "updated_at"])
        after = snapshot(locked, kept)
        if reason and not isinstance(locked, Feature):
            after["reason"] = reason
        record(action=action, instance=locked, before=before, after=after)
    return locked


def _locked(instance: _Described) -> _Described:
    """The row as it is stored now, held until the transaction ends."""
    rows: QuerySet[Any] = type(instance)._base_manager.select_for_update()
    row: _Described = rows.get(pk=instance.pk)
    return row
