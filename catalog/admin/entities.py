from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from catalog.admin.audited import AuditedAdmin
from catalog.admin.presentation import json_of
from catalog.models import Entity


class EntityForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = Entity
        fields = ("name", "join_keys", "description")

    def clean_join_keys(self) -> list[str]:
        keys = self.cleaned_data["join_keys"]
        named = isinstance(keys, list) and bool(keys) and all(isinstance(key, str) and key.strip() for key in keys)
        if not named or len(set(keys)) != len(keys):
            raise forms.ValidationError('Write the names as a JSON list, each once, such as ["customer_id"].')
        return list(keys)


@admin.register(Entity)
class EntityAdmin(AuditedAdmin):
    """Name and join keys hold for all values that were ever ingested, and so are fixed once made."""

    form = EntityForm
    list_display = ("name", "keys", "feature_groups", "description", "updated_at")
    search_fields = ("name", "description")
    search_help_text = "Name or description."
    kept_because = "Feature groups describe it."
    fieldsets: ClassVar = [(None, {"fields": ("name", "join_keys", "description")})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entity]:
        return super().get_queryset(request).annotate(group_count=Count("groups"))

    def get_fieldsets(self, request: HttpRequest, obj: Entity | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        return [
            (None, {"fields": ("name", json_of("join_keys"), "description")}),
            ("Kept by the store", {"fields": ("created_at", "updated_at")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Entity | None = None) -> Any:
        return () if obj is None else ("name", json_of("join_keys"), "created_at", "updated_at")

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description="join keys")
    def keys(self, obj: Entity) -> str:
        return ", ".join(obj.join_keys)

    @admin.display(description="feature groups", ordering="group_count")
    def feature_groups(self, obj: Any) -> int:
        return int(obj.group_count)
