"""What the demo bank declares beside the configuration, and on which day."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.db import transaction

from catalog.declarations import CatalogDeclaration
from catalog.registration import Policy, apply_declaration
from ingestion.demo_bank.exports import CSV_FOLDER, PARQUET_FOLDER
from ingestion.models import SourceKind
from ingestion.schedules import sync_schedules
from ingestion.source_registration import DeclaredSource, register_sources

FOLDER: Final = Path(__file__).parent / "catalog"
STAGES: Final = (0, 9, 16)
"""The days, from 0, on which the bank declares something anew."""


def declared_on(*, day: int) -> CatalogDeclaration:
    """All that the bank has declared until ``day``: each stage adds to the ones before."""
    merged: dict[str, dict[str, Any]] = {"entities": {}, "groups": {}, "services": {}}
    for stage in (stage for stage in STAGES if stage <= day):
        found = yaml.safe_load((FOLDER / f"day_{stage:02}.yaml").read_text(encoding="utf-8"))
        merged["entities"] |= found.get("entities", {})
        merged["services"] |= found.get("services", {})
        for name, group in found["groups"].items():
            merged["groups"][name] = _with_features(merged["groups"].get(name, {"features": []}), group)
    return CatalogDeclaration.model_validate(merged)


def _with_features(before: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    features = {feature["name"]: feature for feature in (*before["features"], *change["features"])}
    return {**before, **change, "features": list(features.values())}


def apply_demo_declaration(*, day: int, folder: Path) -> None:
    """Make the catalog hold what the bank has declared until ``day``, as made by hand: no ``apply`` takes it away.

    ``folder`` is where the bank's files are. Applied twice, the second time writes nothing.
    """
    configured = settings.FEATURESTORE
    policy = Policy(
        default_max_age=configured.default_max_age,
        retain_versions=configured.versioning.retain_versions,
        deprecate_removed=False,
        keeps=False,
    )
    with transaction.atomic():
        register_sources(
            [
                DeclaredSource("bank_exports", SourceKind.CSV, str(folder / CSV_FOLDER)),
                DeclaredSource("bank_models", SourceKind.PARQUET, str(folder / PARQUET_FOLDER)),
            ]
        )
        apply_declaration(declared_on(day=day), policy=policy)
        sync_schedules(default=configured.ingestion.schedule, enabled=configured.ingestion.auto_ingestion_enabled)
