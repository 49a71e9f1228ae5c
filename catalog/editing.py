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
from catalog.declarations import Tier
from catalog.disclosure import SENSITIVE
from catalog.errors import Conflict, InvalidInput, PermissionDenied
from catalog.models import Feature, FeatureGroup, FeatureService, FeatureVersion, Status, Tag
from catalog.wording import gettext as _

FEATURE_FIELDS = frozenset({"description", "owner", "unit", "sensitivity", "tier", "tags", "default_version"})
GROUP_FIELDS = frozenset(
    {"description", "owner", "sensitivity", "tags", "max_age", "retention", "freshness", "schedule"}
)
TAG_LENGTH = 60
_REASON_LENGTH = 500

_Described = TypeVar("_Described", bound=FeatureGroup | Feature)


def edit_feature(*, feature: Feature, changes: Mapping[str, Any], editor: Reader) -> Feature:
    """``feature`` with ``changes`` (of :data:`FEATURE_FIELDS`); ``tags`` are names, all that it has from now on.

    :raises InvalidInput: on another field, or a value that the field does not take.
    :raises PermissionDenied: when values would be shown to more readers and ``editor`` may not see them, or when
        the tier changes to or from certified and ``editor`` may not certify.
    """
    _refuse_others(changes, FEATURE_FIELDS, "feature")
    version = changes.get("default_version")
    if version is not None and not (isinstance(version, FeatureVersion) and version.feature_id == feature.pk):
        raise InvalidInput(
            _("the default version of %(name)s is one of its own versions, not %(version)s")
            % {"name": feature.name, "version": version},
            details={"fields": {"default_version": ["not a version of this feature"]}},
        )
    if version is not None and version.status == Status.ARCHIVED:
        raise InvalidInput(_("%(version)s is archived, and so cannot be the default version") % {"version": version})
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

    :raises InvalidInput: without a reason, with one that is too long, or with a replacement that is itself or not
        active.
    :raises Conflict: when it is deprecated or archived already.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput(_("say why it is deprecated: its users read the reason"), details={"fields": {"reason": []}})
    _refuse_replacement(feature, replacement)
    return _move(feature, to=Status.DEPRECATED, action="deprecate", reason=reason, replacement=replacement)


def restore_feature(*, feature: Feature) -> Feature:
    """Bring a deprecated or archived feature back into use.

    :raises Conflict: when it is active.
    """
    return _move(feature, to=Status.ACTIVE, action="restore")


def set_replacement(*, feature: Feature, replacement: Feature | None) -> Feature:
    """Say what to use instead of ``feature``, which is deprecated or archived; None: nothing is known.

    :raises InvalidInput: when ``replacement`` is the feature itself or not active.
    :raises Conflict: when the feature is active, and so needs no replacement.
    """
    with transaction.atomic():
        locked = _locked(feature)
        if locked.status == Status.ACTIVE and replacement is not None:
            raise Conflict(
                _("%(locked)s is active; deprecate it first") % {"locked": locked}, details={"status": locked.status}
            )
        _refuse_replacement(locked, replacement)
        before = snapshot(locked, ["replacement"])
        locked.replacement = replacement
        locked.save(update_fields=["replacement", "updated_at"])
        record(action="update", instance=locked, before=before, after=snapshot(locked, ["replacement"]))
    return locked


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
            _("%(wrong)r is no tag: use 1 to %(tag_length)s characters and no comma")
            % {"wrong": wrong[0], "tag_length": TAG_LENGTH},
            details={"fields": {"tags": wrong}},
        )
    return names


def _refuse_others(changes: Mapping[str, Any], allowed: frozenset[str], what: str) -> None:
    others = sorted(changes.keys() - allowed)
    if not others:
        return
    near = difflib.get_close_matches(others[0], sorted(allowed), n=1)
    hint = (
        _("; did you mean %(names)s?") % {"names": near[0]}
        if near
        else _("; there are %(names)s") % {"names": ", ".join(sorted(allowed))}
    )
    raise InvalidInput(
        _("%(others)s of a %(what)s cannot be edited%(hint)s")
        % {"others": ", ".join(others), "what": what, "hint": hint},
        details={"fields": dict.fromkeys(others, ["cannot be edited"])},
    )


def _refuse_pinned(name: str, services: Iterable[FeatureService]) -> None:
    pinned = [service.name for service in services]
    if pinned:
        raise Conflict(
            _("%(name)s is pinned by %(pinned)s; archive the service or pin another version first")
            % {"name": name, "pinned": ", ".join(pinned)},
            details={"services": pinned},
        )


def _refuse_replacement(feature: Feature, replacement: Feature | None) -> None:
    if replacement is None:
        return
    if replacement.pk == feature.pk:
        raise InvalidInput(_("%(name)s cannot replace itself") % {"name": feature.name})
    if replacement.status != Status.ACTIVE:
        raise InvalidInput(
            _("%(name)s is %(status)s itself, and so replaces nothing")
            % {"name": replacement.name, "status": replacement.status}
        )


def _edit(instance: _Described, changes: Mapping[str, Any], editor: Reader) -> _Described:
    names = None if "tags" not in changes else tag_names(changes["tags"])
    values = {name: value for name, value in changes.items() if name != "tags"}
    with transaction.atomic():
        locked = _locked(instance)
        before = _with_tags(locked)
        level = _sensitivity_of(locked)
        tier = locked.tier if isinstance(locked, Feature) else ""
        for name, value in values.items():
            setattr(locked, name, value)
        _check(locked, values)
        _refuse_opening(editor, level, _sensitivity_of(locked))
        _refuse_certifying(editor, tier, str(values.get("tier", tier)))
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
            _("from %(before)s to %(after)s shows the values to every reader; a steward may do that")
            % {"before": before, "after": after},
            details={"before": before, "after": after},
        )


def _refuse_certifying(editor: Reader, before: str, after: str) -> None:
    certified = Tier.CERTIFIED.value
    if before != after and certified in (before, after) and not may(editor, Capability.CERTIFY):
        raise PermissionDenied(
            _("the tier %(certified)s is given and taken with the capability %(value)s, by a steward")
            % {"certified": certified, "value": Capability.CERTIFY.value},
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


def _move(
    instance: _Described, *, to: Status, action: str, reason: str = "", replacement: Feature | None = None
) -> _Described:
    """``instance`` in the status ``to``, with its reason where the model keeps one; the audit keeps it always."""
    if len(reason) > _REASON_LENGTH:
        raise InvalidInput(
            _("a reason has at most %(reason_length)s characters, and this one has %(count)s")
            % {"reason_length": _REASON_LENGTH, "count": len(reason)}
        )
    with transaction.atomic():
        locked = _locked(instance)
        refused = {to, Status.ARCHIVED} if to == Status.DEPRECATED else {to}
        if locked.status in refused:
            raise Conflict(
                _("%(locked)s is %(status)s already") % {"locked": locked, "status": locked.status},
                details={"status": locked.status},
            )
        kept = ["status", "status_reason", "replacement"] if isinstance(locked, Feature) else ["status"]
        before = snapshot(locked, kept)
        locked.status = to
        if isinstance(locked, Feature):
            locked.status_reason = reason
            # What was deprecated with a replacement keeps it when it is archived.
            locked.replacement = replacement or (locked.replacement if to == Status.ARCHIVED else None)
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
