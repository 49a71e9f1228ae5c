from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from catalog.access import Capability
from catalog.actor import current_actor
from catalog.admin.audited import AuditedAdmin
from catalog.admin.permissions import CapabilityOptions
from catalog.models import ValueGrant

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
else:
    _TabularInline = admin.TabularInline

WHAT_IT_IS = (
    "Confidential and personal values are masked for everybody whose role may not read them. A grant shows those of "
    "one feature group unmasked to one user, or to everybody who has one role, until it expires."
)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = ValueGrant
        fields = ("group", "user", "role", "reason", "expires_at")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if (values.get("user") is None) == (values.get("role") is None) and not self.errors:
            raise forms.ValidationError("Name a user or a role, not both.")
        return values

    def save(self, commit: bool = True) -> ValueGrant:
        if self.instance.pk is None:
            self.instance.created_by = current_actor().name
        grant: ValueGrant = super().save(commit)
        return grant


class GrantInline(CapabilityOptions, _TabularInline):
    model = ValueGrant
    form = GrantForm
    view_capability = Capability.ADMINISTER
    add_capability = Capability.ADMINISTER
    change_capability = Capability.ADMINISTER
    delete_capability = Capability.ADMINISTER
    fields = ("user", "role", "reason", "expires_at")
    autocomplete_fields = ("user", "role")
    extra = 0
    verbose_name_plural = "who may read its confidential and personal values"


@admin.register(ValueGrant)
class ValueGrantAdmin(AuditedAdmin):
    view_capability = Capability.ADMINISTER
    add_capability = Capability.ADMINISTER
    change_capability = Capability.ADMINISTER
    delete_capability = Capability.ADMINISTER
    form = GrantForm
    list_display = ("group", "user", "role", "reason", "expires_at", "created_by", "created_at")
    list_filter = ("group", "role", "expires_at")
    list_select_related = ("group", "user", "role")
    search_fields = ("group__name", "user__username", "role__name", "reason")
    date_hierarchy = "created_at"
    autocomplete_fields = ("group", "user", "role")
    readonly_fields = ("created_by", "created_at")
    fieldsets = (
        (None, {"fields": ("group", "user", "role", "reason", "expires_at"), "description": WHAT_IT_IS}),
        ("Kept by the store", {"fields": ("created_by", "created_at")}),
    )
