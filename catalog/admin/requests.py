"""Admin of what people ask for and keep: requests are answered here; views are theirs alone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin.audited import AuditedAdmin
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.feature_requests import answer_request
from catalog.models import FeatureRequest, RequestState, SavedView


class AnswerForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = FeatureRequest
        fields = ("state", "answer", "feature")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("state") == RequestState.OPEN:
            self.add_error("state", "Fulfil or decline it; who asked reads the answer on their page.")
        elif not (values.get("answer") or values.get("feature")):
            self.add_error("answer", "Say a word, or name the feature that fulfils it.")
        return values


@admin.register(FeatureRequest)
class FeatureRequestAdmin(AuditedAdmin):
    """Features that people looked for and did not find."""

    form = AnswerForm
    add_capability = None
    delete_capability = None
    list_display = ("wanted", "user", "created_at", "state", "feature", "answered_by")
    list_filter = ("state",)
    list_select_related = ("user", "feature")
    search_fields = ("wanted", "reason", "user__username")
    date_hierarchy = "created_at"
    autocomplete_fields = ("feature",)
    fieldsets = (
        ("Asked", {"fields": ("wanted", "reason", "query", "user", "created_at")}),
        ("Answer", {"fields": ("state", "answer", "feature", "answered_by", "answered_at")}),
    )
    readonly_fields = ("wanted", "reason", "query", "user", "created_at", "answered_by", "answered_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        answered = answer_request(
            request=obj,
            answerer=request.user,
            state=RequestState(form.cleaned_data["state"]),
            answer=form.cleaned_data["answer"],
            feature=form.cleaned_data["feature"],
        )
        obj.answered_by, obj.answered_at = answered.answered_by, answered.answered_at

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing more: the answer has left its audit event."""


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    """The shared views, and one's own; they are made and removed on the pages."""

    list_display = ("name", "slug", "user", "is_shared", "updated_at")
    list_filter = ("is_shared",)
    list_select_related = ("user",)
    search_fields = ("name", "slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")
