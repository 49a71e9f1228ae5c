from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from catalog.admin.audited import AuditedAdmin
from catalog.editing import tag_names
from catalog.errors import InvalidInput
from catalog.models import Tag


class TagForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no arguments at run time
    class Meta:
        model = Tag
        fields = ("name",)

    def clean_name(self) -> str:
        try:
            return tag_names([self.cleaned_data["name"]])[0]
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error


@admin.register(Tag)
class TagAdmin(AuditedAdmin):
    form = TagForm
    list_display = ("name", "feature_count", "group_count")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        counted = super().get_queryset(request)
        return counted.annotate(
            tagged_features=Count("features", distinct=True), tagged_groups=Count("groups", distinct=True)
        )

    @admin.display(description="features", ordering="tagged_features")
    def feature_count(self, obj: Any) -> int:
        return int(obj.tagged_features)

    @admin.display(description="feature groups", ordering="tagged_groups")
    def group_count(self, obj: Any) -> int:
        return int(obj.tagged_groups)
