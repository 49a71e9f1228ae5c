"""The one filter set of runs, for the page and the API alike."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from catalog.filters import AnyOf
from ingestion.models import IngestionRun, RunKind, RunState


class RunFilter(django_filters.FilterSet):
    """Every parameter may be repeated or hold names between commas: any of them fits."""

    group = AnyOf(field_name="group__name", label="Feature group")
    state = AnyOf(field_name="state", label="State", known=RunState.values)
    kind = AnyOf(field_name="kind", label="Kind", known=RunKind.values)
    trigger = AnyOf(field_name="trigger", label="Trigger")

    class Meta:
        model = IngestionRun
        fields: ClassVar = ["group", "state", "kind", "trigger"]
