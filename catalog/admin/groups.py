from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from pydantic import TypeAdapter, ValidationError

from catalog.admin.audited import AuditedAdmin
from catalog.admin.grants import GrantInline
from catalog.admin.living import ReasonForm, life_actions
from catalog.admin.permissions import fixed_for
from catalog.admin.presentation import page_of
from catalog.admin.read_only import ReadOnlyInline
from catalog.declarations import RowRule
from catalog.editing import archive_group, deprecate_group, restore_group
from catalog.models import Feature, FeatureGroup, Status

_RULES = TypeAdapter(list[RowRule])
_KEY_MAP = TypeAdapter(dict[str, str])
DECLARED = (
    "What the configuration declares comes back with the next <code>apply</code>: edit such a group or feature there. "
    "What was made here is left alone."
)


class FeatureGroupForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = FeatureGroup
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets say which)

    def clean_timezone(self) -> str:
        name: str = self.cleaned_data["timezone"]
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise forms.ValidationError(f"{name} is no time zone; write one such as UTC or Europe/Paris.") from error
        return name

    def clean_key_map(self) -> Any:
        return _checked(_KEY_MAP, self.cleaned_data["key_map"])

    def clean_row_rules(self) -> Any:
        return _checked(_RULES, self.cleaned_data["row_rules"])

    def clean_schedule(self) -> str:
        line: str = self.cleaned_data["schedule"].strip()
        if line and len(line.split()) != 5:
            raise forms.ValidationError("A cron line has five parts: minute, hour, day, month, weekday.")
        return line


def _checked(kind: TypeAdapter[Any], value: Any) -> Any:
    try:
        kind.validate_python(value)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise forms.ValidationError(told) from error
    return value


class FeatureInline(ReadOnlyInline):
    model = Feature
    fields = ("name", "status", "owner", "sensitivity", "default_version", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("default_version__feature")


@admin.register(FeatureGroup)
class FeatureGroupAdmin(AuditedAdmin):
    """Apps above the catalog contribute actions with :meth:`add_action`."""

    form = FeatureGroupForm
    action_form = ReasonForm
    actions = life_actions(
        deprecate=lambda group, reason: deprecate_group(group=group, reason=reason),
        restore=lambda group: restore_group(group=group),
        archive=lambda group, reason: archive_group(group=group, reason=reason),
    )
    list_display = (
        "name",
        "entity",
        "status",
        "sensitivity",
        "feature_count",
        "source_table",
        "owner",
        "schedule",
        "declared",
    )
    list_filter = ("status", "entity", "sensitivity", "declared", "owner", "tags")
    list_select_related = ("entity",)
    search_fields = ("name", "description", "owner", "source_table")
    search_help_text = "Name, description, owner or source table."
    autocomplete_fields = ("entity", "tags")
    inlines: ClassVar = [FeatureInline, GrantInline]
    kept_because = "Its features, runs and values are history: archive it instead."
    fieldsets = (
        (None, {"fields": ("name", "entity", "description", "owner", "tags"), "description": DECLARED}),
        ("Governance", {"fields": ("status", "sensitivity", "max_age", "retention", "freshness")}),
        (
            "Source",
            {"fields": ("source", "source_table", "timestamp_column", "created_column", "timezone", "key_map")},
        ),
        ("Ingestion", {"fields": ("schedule", "row_rules")}),
        ("Kept by the store", {"fields": ("declared", "created_by", "created_at", "updated_at")}),
    )

    @classmethod
    def add_action(cls, action: Callable[..., Any]) -> None:
        """Offer ``action`` on groups, after those already there."""
        cls.actions = [*cls.actions, action]

    def get_readonly_fields(self, request: HttpRequest, obj: FeatureGroup | None = None) -> Any:
        kept = ("status", "declared", "created_by", "created_at", "updated_at")
        return kept if obj is None else ("name", "entity", *fixed_for(request, obj.sensitivity, "sensitivity"), *kept)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeatureGroup]:
        active = Count("features", filter=~Q(features__status=Status.ARCHIVED))
        return super().get_queryset(request).annotate(live_features=active)

    def view_on_site(self, obj: FeatureGroup) -> str | None:
        return page_of("catalog:group", obj.name)

    @admin.display(description="features", ordering="live_features")
    def feature_count(self, obj: Any) -> int:
        return int(obj.live_features)
