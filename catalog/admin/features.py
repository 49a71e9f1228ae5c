from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.access import Capability, may
from catalog.admin.audited import AuditedAdmin
from catalog.admin.groups import DECLARED
from catalog.admin.living import ReasonForm, life_actions
from catalog.admin.permissions import fixed_for
from catalog.admin.presentation import page_of
from catalog.admin.read_only import ReadOnlyInline
from catalog.declarations import Tier
from catalog.editing import archive_feature, deprecate_feature, restore_feature
from catalog.models import Feature, FeatureVersion, Status
from catalog.models.fields import TIERS


class FeatureForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    may_certify = False

    class Meta:
        model = Feature
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets say which)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.may_certify and "tier" in self.fields:
            certified = Tier.CERTIFIED.value
            kept = self.instance.tier == certified
            choices = [choice for choice in TIERS if (choice[0] == certified) is kept]
            self.fields["tier"] = forms.ChoiceField(choices=choices, help_text="A steward certifies.")
        choice = self.fields.get("default_version")
        if isinstance(choice, forms.ModelChoiceField):
            own = FeatureVersion.objects.filter(feature=self.instance.pk).exclude(status=Status.ARCHIVED)
            choice.queryset = own.select_related("feature")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        group, name = values.get("group"), values.get("name")
        if self.instance.pk is None and group is not None and name:
            self.instance.entity_id = group.entity_id
            taken = Feature.objects.filter(entity=group.entity_id, name=name).select_related("group").first()
            if taken is not None:
                self.add_error("name", f"The entity {group.entity} has a feature of that name, in {taken.group}.")
        replacement = values.get("replacement")
        if replacement is not None:
            if self.instance.status == Status.ACTIVE:
                self.add_error("replacement", "An active feature needs no replacement; deprecate it first.")
            elif replacement.pk == self.instance.pk or replacement.status != Status.ACTIVE:
                self.add_error("replacement", "What replaces it is another feature, and an active one.")
        return values


class VersionInline(ReadOnlyInline):
    model = FeatureVersion
    fields = ("number", "status", "is_current", "data_type", "source_column", "source_problem", "change_note")
    readonly_fields = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("feature")


@admin.register(Feature)
class FeatureAdmin(AuditedAdmin):
    """What people say about a feature; its definition is in its versions."""

    form = FeatureForm
    action_form = ReasonForm
    actions = life_actions(
        deprecate=lambda feature, reason: deprecate_feature(feature=feature, reason=reason),
        restore=lambda feature: restore_feature(feature=feature),
        archive=lambda feature, reason: archive_feature(feature=feature, reason=reason),
    )
    list_display = (
        "name",
        "group",
        "data_type",
        "version",
        "status",
        "tier",
        "shown_sensitivity",
        "shown_owner",
        "has_source",
    )
    list_filter = ("status", "tier", "group", "entity", "default_version__data_type", "sensitivity", "declared", "tags")
    list_select_related = ("group", "entity", "default_version__feature")
    search_fields = ("name", "description", "owner", "group__name", "tags__name")
    search_help_text = "Name, description, owner, group or tag."
    date_hierarchy = "created_at"
    autocomplete_fields = ("group", "tags", "replacement")
    inlines: ClassVar = [VersionInline]
    kept_because = "Its versions and values are history: deprecate or archive it instead."
    fieldsets = (
        (None, {"fields": ("name", "group", "description", "owner", "unit", "tags"), "description": DECLARED}),
        (
            "Governance",
            {"fields": ("tier", "sensitivity", "default_version", "status", "status_reason", "replacement")},
        ),
        ("Kept by the store", {"fields": ("entity", "declared", "created_by", "created_at", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Feature | None = None) -> Any:
        kept = ("status", "status_reason", "entity", "declared", "created_by", "created_at", "updated_at")
        if obj is None:
            return ("default_version", "replacement", *kept)
        return ("name", "group", *fixed_for(request, obj.effective_sensitivity, "sensitivity"), *kept)

    def get_form(self, request: HttpRequest, obj: Feature | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.may_certify = may(request.user, Capability.CERTIFY)
        return form

    def view_on_site(self, obj: Feature) -> str | None:
        return page_of("catalog:feature", obj.name)

    @admin.display(description="type", ordering="default_version__data_type")
    def data_type(self, obj: Feature) -> str:
        return "" if obj.default_version is None else obj.default_version.data_type

    @admin.display(ordering="default_version__major")
    def version(self, obj: Feature) -> str:
        return "" if obj.default_version is None else obj.default_version.number

    @admin.display(description="sensitivity", ordering="sensitivity")
    def shown_sensitivity(self, obj: Feature) -> str:
        return obj.effective_sensitivity

    @admin.display(description="owner", ordering="owner")
    def shown_owner(self, obj: Feature) -> str:
        return obj.effective_owner

    @admin.display(description="source gives it", boolean=True)
    def has_source(self, obj: Feature) -> bool | None:
        return None if obj.default_version is None else not obj.default_version.source_problem
