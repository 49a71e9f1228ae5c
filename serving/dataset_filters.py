"""The one filter set of training datasets, for the page and the API alike."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet

from catalog.filters import AnyOf, YesOrNo
from serving.models import DatasetState, TrainingDataset


class DatasetFilter(django_filters.FilterSet):
    """``state`` and ``created_by`` may be repeated or hold several between commas: any of them fits.

    Archived datasets are left out unless ``archived`` is true, which leaves out the others.
    """

    q = django_filters.CharFilter(method="containing", label="Words in name or description")
    state = AnyOf(field_name="state", label="State", known=DatasetState.values)
    created_by = AnyOf(field_name="created_by", label="Who made it")
    archived = YesOrNo(method="archived_or_not", label="Archived ones instead")

    class Meta:
        model = TrainingDataset
        fields: ClassVar = ["q", "state", "created_by", "archived"]

    def containing(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:  # noqa: ARG002
        for word in value.split():
            queryset = queryset.filter(Q(name__icontains=word) | Q(description__icontains=word))
        return queryset

    def archived_or_not(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(archived_at__isnull=not value)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("archived") is not None else found.filter(archived_at__isnull=True)
