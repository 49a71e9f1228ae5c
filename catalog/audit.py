"""The audit of modifications. Call :func:`record` in the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from catalog.actor import current_actor
from catalog.clock import now
from catalog.models import AuditEvent


def snapshot(instance: models.Model, fields: Iterable[str] | None = None) -> dict[str, Any]:
    """The stored fields of ``instance`` (or those named) as they go into an audit event."""
    wanted = None if fields is None else set(fields)
    return {
        field.name: field.value_to_string(instance) if _needs_text(field) else field.value_from_object(instance)
        for field in instance._meta.concrete_fields
        if wanted is None or field.name in wanted
    }


def _needs_text(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, (models.DateTimeField, models.DurationField, models.UUIDField, models.FileField))


def record(
    *,
    action: str,
    instance: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent | None:
    """Write that the current actor did ``action`` to ``instance``; with both sides given, only what differs.

    Returns None, and writes nothing, when both sides are given and are the same.
    """
    if before is not None and after is not None:
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if not changed:
            return None
        before = {name: value for name, value in before.items() if name in changed}
        after = {name: value for name, value in after.items() if name in changed}
    actor = current_actor()
    event = AuditEvent(
        at=now(),
        actor=actor.name,
        user_id=actor.user_id,
        request_id=actor.request_id,
        action=action,
        object_type=instance._meta.model_name or "",
        object_id=str(instance.pk),
        object_name=str(instance)[:255],
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
    )
    event.save(force_insert=True)
    return event
