"""Admin of what people edit: every change leaves its audit event in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest

from catalog.actor import current_actor
from catalog.admin.permissions import CapabilityOptions
from catalog.admin.presentation import EDITED_FIELDS
from catalog.audit import record, snapshot

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

_JSON = (str, int, float, bool, list, dict, type(None))


def described(instance: models.Model, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """All that is stored of ``instance``, with the names of what it is linked to, as it goes into an audit event."""
    left_out = set(without)
    stored = {
        name: value if isinstance(value, _JSON) else str(value)
        for name, value in snapshot(instance).items()
        if name not in left_out
    }
    for field in instance._meta.many_to_many:
        if field.remote_field.through._meta.auto_created and field.name not in left_out:  # type: ignore[union-attr]
            stored[field.name] = sorted(str(linked) for linked in getattr(instance, field.name).all())
    return stored


class AuditedAdmin(CapabilityOptions, _ModelAdmin):
    """Records what adding, changing and deleting did, inlines included."""

    unaudited: ClassVar[tuple[str, ...]] = ("updated_at",)
    formfield_overrides = EDITED_FIELDS
    kept_because: ClassVar[str] = "What has history or is used elsewhere is kept."
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        form.described_before = self._describe_stored(obj) if change else None
        if not change and any(field.name == "created_by" for field in obj._meta.concrete_fields):
            obj.created_by = current_actor().name
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        obj = form.instance
        after = self.describe(type(obj)._base_manager.get(pk=obj.pk))
        record(action="update" if change else "create", instance=obj, before=form.described_before, after=after)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        # The rows of the forms already hold what was sent; the audit names what is stored.
        gone = [row.instance.pk for row in formset.deleted_forms if row.instance.pk]
        edited = [row.instance.pk for row in formset.initial_forms if row.has_changed()]
        stored = formset.model._base_manager.in_bulk([*gone, *edited])
        before = {pk: described(row) for pk, row in stored.items()}
        for pk in gone:
            record(action="delete", instance=stored[pk], before=before[pk])
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            record(action="create", instance=row, after=described(row))
        for row, _ in formset.changed_objects:
            after = described(formset.model._base_manager.get(pk=row.pk))
            record(action="update", instance=row, before=before[row.pk], after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            record(action="delete", instance=obj, before=self.describe(obj))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        listed, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        if protected or perms_needed:
            messages.warning(request, f"It cannot be deleted. {self.kept_because}")
        return listed, counts, perms_needed, protected

    def describe(self, obj: models.Model) -> dict[str, Any]:
        """What an audit event says of ``obj``."""
        return described(obj, without=self.unaudited)

    def _describe_stored(self, obj: models.Model) -> dict[str, Any]:
        return self.describe(type(obj)._base_manager.select_for_update().get(pk=obj.pk))
