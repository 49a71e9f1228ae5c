from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from catalog.access import Capability
from catalog.admin.audited import AuditedAdmin
from catalog.admin.permissions import CapabilityOptions
from catalog.admin.presentation import page_of
from catalog.models import FeatureService, FeatureServiceMember

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
    _FormSet = BaseInlineFormSet[Any, Any, Any]
else:
    _TabularInline = admin.TabularInline
    _FormSet = BaseInlineFormSet


class MemberFormSet(_FormSet):
    def clean(self) -> None:
        """Each value column once: two versions of one major would be the same column."""
        super().clean()
        seen: set[tuple[int, int]] = set()
        for form in self.forms:
            version = form.cleaned_data.get("version") if hasattr(form, "cleaned_data") else None
            if version is None or form.cleaned_data.get("DELETE"):
                continue
            column = (version.feature_id, version.major)
            if column in seen:
                raise forms.ValidationError(
                    f"{version.feature.name} version {version.major} is there twice; a service pins one of its minors."
                )
            seen.add(column)


class MemberInline(CapabilityOptions, _TabularInline):
    model = FeatureServiceMember
    formset = MemberFormSet
    add_capability = Capability.MANAGE_SERVICES
    change_capability = Capability.MANAGE_SERVICES
    delete_capability = Capability.MANAGE_SERVICES
    fields = ("position", "version")
    autocomplete_fields = ("version",)
    extra = 0
    verbose_name = "pinned version"
    verbose_name_plural = "pinned versions"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("version__feature__entity")


@admin.register(FeatureService)
class FeatureServiceAdmin(AuditedAdmin):
    add_capability = Capability.MANAGE_SERVICES
    change_capability = Capability.MANAGE_SERVICES
    delete_capability = Capability.MANAGE_SERVICES
    list_display = ("name", "status", "pinned", "owner", "declared", "updated_at")
    list_filter = ("status", "declared", "owner")
    search_fields = ("name", "description", "owner", "members__feature__name")
    search_help_text = "Name, description, owner or a pinned feature."
    inlines: ClassVar = [MemberInline]
    readonly_fields = ("declared", "created_by", "created_at", "updated_at")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "description", "owner", "status"),
                "description": "A model asks for its service by name and always gets the versions pinned below.",
            },
        ),
        ("Kept by the store", {"fields": ("declared", "created_by", "created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeatureService]:
        return super().get_queryset(request).annotate(member_count=Count("members"))

    def get_readonly_fields(self, request: HttpRequest, obj: FeatureService | None = None) -> Any:
        return self.readonly_fields if obj is None else ("name", *self.readonly_fields)

    def describe(self, obj: Any) -> dict[str, Any]:
        members = obj.members.select_related("version__feature__entity")
        pinned = [f"{member.version.public_id} {member.version.number}" for member in members]
        return {**super().describe(obj), "members": pinned}

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save()  # the service's own event names its members

    def view_on_site(self, obj: FeatureService) -> str | None:
        return page_of("catalog:service", obj.name)

    @admin.display(description="pinned versions", ordering="member_count")
    def pinned(self, obj: Any) -> int:
        return int(obj.member_count)
