"""The admin of what is read: online values, tokens, usage, latency."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.access import Capability
from catalog.actor import current_actor
from catalog.admin.audited import AuditedAdmin
from catalog.admin.living import each
from catalog.admin.presentation import json_of, shown_json
from catalog.admin.read_only import ReadOnlyAdmin
from catalog.clock import now
from catalog.models import FeatureVersion
from catalog.presentation import format_bytes, format_number
from catalog.references import ResolvedFeature
from serving.access_log import AccessRecord, ReadKind, write_access_record
from serving.clearance import masks_for
from serving.models import (
    ApiToken,
    FeatureUsage,
    FeatureValue,
    FoldedLog,
    LatencyBucket,
    MaterializedTable,
    Scope,
    TrainingDataset,
)
from serving.tokens import issue_token, revoke_token

SOONEST_EXPIRY = timedelta(minutes=1)


@admin.register(FeatureValue)
class FeatureValueAdmin(ReadOnlyAdmin):
    """The newest row per entity; looking at one is a read of values, masked and logged like any other."""

    view_capability = Capability.READ_VALUES
    list_display = ("entity_key", "group", "event_timestamp", "created_timestamp", "run_id")
    list_filter = ("group",)
    list_select_related = ("group",)
    search_fields = ("=entity_key", "=run_id")
    search_help_text = "A whole entity key, or the id of a run."
    show_full_result_count = False
    ordering = ("group", "entity_key")
    fieldsets = (
        (None, {"fields": ("group", "entity_key")}),
        ("Times and origin", {"fields": ("event_timestamp", "created_timestamp", "arrival", "run_id")}),
        (
            "Values",
            {"fields": ("shown_values",), "description": "By value column, masked where your role may not read them."},
        ),
    )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> FeatureValue | None:
        row: FeatureValue | None = super().get_object(request, object_id, from_field)
        if row is not None:
            row.shown = _clear_values(row, request)  # type: ignore[attr-defined]  # read back by shown_values
        return row

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        began = time.perf_counter()
        response = super().change_view(request, object_id, form_url, extra_context)
        row = (getattr(response, "context_data", None) or {}).get("original")
        if row is not None:
            versions = _versions_of(row)
            write_access_record(
                AccessRecord(
                    at=now(),
                    caller=current_actor().name,
                    token="",
                    kind=ReadKind.ONLINE,
                    feature_ids=tuple(version.public_id for version in versions),
                    feature_keys=tuple(version.feature_id for version in versions),
                    entities=1,
                    milliseconds=(time.perf_counter() - began) * 1000,
                    status=response.status_code,
                    request_id=current_actor().request_id,
                )
            )
        return response

    @admin.display(description="values")
    def shown_values(self, obj: Any) -> SafeString | str:
        return shown_json(obj.shown)


def _versions_of(row: FeatureValue) -> list[FeatureVersion]:
    """The current version behind each value column of the row."""
    current = FeatureVersion.objects.filter(feature__group=row.group_id, is_current=True).select_related(
        "feature__group", "feature__entity"
    )
    return [version for version in current if version.value_column in row.values]


def _clear_values(row: FeatureValue, request: HttpRequest) -> dict[str, Any]:
    """The values of the row as the reader may see them; a column that no version stands for is left out."""
    versions = _versions_of(row)
    resolved = [ResolvedFeature(reference=version.value_column, version=version) for version in versions]
    masks = masks_for(user=request.user, resolved=resolved)
    return {
        version.value_column: value if mask is None else f"{mask.of(value)} (masked)"
        for version, mask in zip(versions, masks, strict=True)
        for value in (row.values[version.value_column],)
    }


@admin.register(MaterializedTable)
class MaterializedTableAdmin(ReadOnlyAdmin):
    list_display = ("group", "table_version", "online", "history", "size", "newest_event", "updated_at")
    list_select_related = ("group",)
    search_fields = ("group__name",)

    @admin.display(description="online rows", ordering="online_rows")
    def online(self, obj: MaterializedTable) -> str:
        return format_number(obj.online_rows)

    @admin.display(description="rows of history", ordering="history_rows")
    def history(self, obj: MaterializedTable) -> str:
        return format_number(obj.history_rows)

    @admin.display(description="size of history", ordering="history_bytes")
    def size(self, obj: MaterializedTable) -> str:
        return format_bytes(obj.history_bytes)


@admin.register(TrainingDataset)
class TrainingDatasetAdmin(ReadOnlyAdmin):
    """What it was made from and where it stands; its values are read over the API, masked and logged."""

    list_display = ("name", "state", "rows", "size", "created_by", "created_at", "verified_at", "archived_at")
    list_filter = ("state", "created_at", "archived_at")
    search_fields = ("=id", "name", "description", "created_by")
    search_help_text = "Id, name, description or person."
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("id", "name", "description", "state", "progress", "error", "created_by")}),
        ("Made from", {"fields": ("entity_rows", "entity_rows_hash", json_of("spec"), "code_version")}),
        ("Result", {"fields": ("row_count", "byte_count", "content_hash", "result_file", json_of("columns"))}),
        ("Times", {"fields": ("created_at", "started_at", "finished_at", "verified_at", "archived_at")}),
        ("Building", {"fields": ("attempts", "builder", "builder_until")}),
    )

    @admin.display(ordering="row_count")
    def rows(self, obj: TrainingDataset) -> str:
        return format_number(obj.row_count)

    @admin.display(ordering="byte_count")
    def size(self, obj: TrainingDataset) -> str:
        return format_bytes(obj.byte_count)


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.READ.value]
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "expires_at")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not name:
            raise forms.ValidationError("Name what it is for, so that it can be told apart later.")
        return name

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= now() + SOONEST_EXPIRY:
            raise forms.ValidationError("That is past; leave it empty for a token that does not expire.")
        return expires_at


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin):
    """Made and revoked by the verbs of the store, which audit; never edited, never deleted."""

    view_capability = Capability.ADMINISTER
    add_capability = Capability.ADMINISTER
    change_capability = None
    delete_capability = None
    form = TokenForm
    list_display = ("name", "prefix", "user", "shown_scopes", "works", "created_at", "expires_at", "last_used_at")
    list_filter = ("revoked_at", "expires_at", "user")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    search_help_text = "Name, beginning of the key, or user."
    date_hierarchy = "created_at"
    autocomplete_fields = ("user",)
    actions = ("revoke_selected",)
    made: ClassVar = ("user", "name", "prefix", json_of("scopes"), "created_at", "expires_at")
    ended: ClassVar = ("revoked_at", "last_used_at")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def get_fieldsets(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        if obj is None:
            note = "The key is shown once, after saving. It may do no more than its user, within its scopes."
            return [(None, {"fields": ("user", "name", "scopes", "expires_at"), "description": note})]
        return [(None, {"fields": self.made}), ("Use", {"fields": self.ended})]

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        given = form.cleaned_data
        issued = issue_token(
            user=given["user"], name=given["name"], scopes=given["scopes"], expires_at=given["expires_at"]
        )
        obj.pk, obj.prefix, obj.created_at = issued.token.pk, issued.token.prefix, issued.token.created_at
        messages.success(request, format_html("The key, shown only now: <code>{}</code>", issued.key))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A token has nothing related, and its verb has recorded it."""

    @admin.action(description="Revoke: the key stops working at once", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        each(request, rows.filter(revoked_at__isnull=True), revoke_token, done="revoked")

    @admin.display(description="scopes")
    def shown_scopes(self, obj: ApiToken) -> str:
        return ", ".join(obj.scopes)

    @admin.display(boolean=True)
    def works(self, obj: ApiToken) -> bool:
        unexpired = obj.expires_at is None or obj.expires_at > now()
        return obj.revoked_at is None and unexpired and obj.user.is_active


@admin.register(FeatureUsage)
class FeatureUsageAdmin(ReadOnlyAdmin):
    view_capability = Capability.EDIT_CATALOG
    list_display = ("day", "feature", "caller", "online_reads", "historical_reads", "entities")
    list_filter = ("day", "feature__group")
    list_select_related = ("feature",)
    search_fields = ("feature__name", "caller")
    search_help_text = "Feature or caller."


@admin.register(LatencyBucket)
class LatencyBucketAdmin(ReadOnlyAdmin):
    list_display = ("hour", "kind", "upper_ms", "requests", "failures")
    list_filter = ("kind", "hour")
    search_fields = ("kind",)
    date_hierarchy = "hour"


@admin.register(FoldedLog)
class FoldedLogAdmin(ReadOnlyAdmin):
    view_capability = Capability.EDIT_CATALOG
    list_display = ("name", "offset", "updated_at")
    search_fields = ("name",)
