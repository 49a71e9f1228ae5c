from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.actor import current_actor
from catalog.admin.audited import AuditedAdmin
from catalog.admin.living import each
from catalog.journal import close_incident
from catalog.models import JournalEntry


class EntryForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = JournalEntry
        fields = ("feature", "group", "kind", "at", "text")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None and (values.get("feature") is None) == (values.get("group") is None):
            raise forms.ValidationError("Name a feature or a feature group, not both.")
        return values


@admin.register(JournalEntry)
class JournalEntryAdmin(AuditedAdmin):
    """Notes and incidents; what was written stays as it was written."""

    form = EntryForm
    delete_capability = None
    actions = ("close_selected",)
    list_display = ("at", "kind", "feature", "group", "author", "closed_at", "beginning")
    list_filter = ("kind", "group", "closed_at")
    list_select_related = ("feature", "group")
    search_fields = ("text", "author", "feature__name", "group__name")
    search_help_text = "Text, author, feature or group."
    date_hierarchy = "at"
    autocomplete_fields = ("feature", "group")
    fieldsets = (
        (None, {"fields": ("feature", "group", "kind", "at", "text")}),
        ("Kept by the store", {"fields": ("author", "created_at", "closed_at", "closed_by")}),
    )
    readonly_fields = ("author", "created_at", "closed_at", "closed_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = current_actor()
        obj.author, obj.user_id = actor.name, actor.user_id
        super().save_model(request, obj, form, change)

    @admin.action(description="Close: the incident is over", permissions=["edit"])
    def close_selected(self, request: HttpRequest, rows: QuerySet[JournalEntry]) -> None:
        each(request, rows, lambda row: close_incident(entry=row, closer=request.user), done="closed")

    @admin.display(description="text")
    def beginning(self, obj: JournalEntry) -> str:
        first = obj.text.strip().splitlines()[0]
        return first if len(first) <= 80 else first[:79] + "…"
