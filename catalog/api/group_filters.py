"""The filter set of feature groups."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from catalog.filters import AnyOf
from catalog.models import FeatureGroup


class GroupFilter(django_filters.FilterSet):
    """Every parameter may be repeated or hold names between commas; any of them fits."""

    entity = AnyOf(field_name="entity__name", label="Entity")
    owner = AnyOf(field_name="owner", label="Owner")
    status = AnyOf(field_name="status", label="Status")
    source = AnyOf(field_name="source", label="Source")
    tag = AnyOf(field_name="tags__name", distinct=True, label="Tag")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")
    ordering = django_filters.OrderingFilter(fields=(("name", "name"), ("created_at", "created_at")))

    class Meta:
        model = FeatureGroup
        fields: ClassVar = ["entity", "owner", "status", "source", "tag"]
