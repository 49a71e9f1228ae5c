"""The filter set of validation reports."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from catalog.filters import AnyOf, YesOrNo
from ingestion.models import ValidationReport


class ReportFilter(django_filters.FilterSet):
    """``group`` may be repeated or hold names between commas; any of them fits."""

    group = AnyOf(field_name="group__name", label="Feature group")
    passed = YesOrNo(label="Whether nothing fell short")

    class Meta:
        model = ValidationReport
        fields: ClassVar = ["group", "passed"]
