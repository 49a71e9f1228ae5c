"""Makes the whole store match its configuration: sources, catalog, schedules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction

from catalog.declarations import CatalogDeclaration
from catalog.models import FeatureGroup, Status
from catalog.registration import Plan, Policy, apply_declaration, plan_changes
from ingestion.models import WAREHOUSE
from ingestion.schedules import plan_schedules, sync_schedules
from ingestion.source_registration import DeclaredSource, plan_sources, register_sources

ATTEMPTS = 5


@dataclass(frozen=True)
class Declared:
    """All of the configuration that is applied. ``schedule`` is the cron line of groups that have none."""

    catalog: CatalogDeclaration
    sources: Sequence[DeclaredSource]
    policy: Policy
    schedule: str
    scheduled: bool = True
    """Whether groups are ingested by schedule at all."""


def configured() -> Declared:
    """What the configuration of this process declares."""
    configuration = settings.FEATURESTORE
    reports = str(configuration.input_sources.step6_reports)
    return Declared(
        catalog=configuration.catalog_declaration,
        sources=[
            DeclaredSource(
                name=name,
                kind=source.kind,
                location=str(source.path),
                reports_location=reports if name == WAREHOUSE else "",
            )
            for name, source in configuration.sources.items()
        ],
        policy=Policy(
            default_max_age=configuration.default_max_age,
            timezones={name: configuration.timezone_of(group) for name, group in configuration.features.items()},
            auto_versioning=configuration.versioning.auto_versioning,
            retain_versions=configuration.versioning.retain_versions,
            deprecate_removed=configuration.versioning.enable_deprecation,
        ),
        schedule=configuration.ingestion.schedule,
        scheduled=configuration.ingestion.auto_ingestion_enabled,
    )


def plan_configuration(declared: Declared) -> Plan:
    """What :func:`apply_configuration` would do now; nothing is written.

    :raises ConfigurationError: with all faults of the declaration.
    """
    catalog = plan_changes(declared.catalog, policy=declared.policy)
    known = dict(FeatureGroup.objects.values_list("name", "schedule"))
    archived = set(FeatureGroup.objects.filter(status=Status.ARCHIVED).values_list("name", flat=True))
    groups = known | {name: group.schedule or "" for name, group in declared.catalog.groups.items()}
    ingested = [(name, schedule) for name, schedule in groups.items() if name not in archived]
    schedules = plan_schedules(groups=ingested, default=declared.schedule, enabled=declared.scheduled)
    return Plan((*plan_sources(declared.sources), *catalog.changes, *schedules))


def apply_configuration(declared: Declared) -> Plan:
    """Make sources, catalog and schedules match the configuration, in one transaction; what was done.

    Applied twice, the second time writes nothing.

    :raises ConfigurationError: with all faults of the declaration; nothing is written then.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                sources = register_sources(declared.sources)
                applied = apply_declaration(declared.catalog, policy=declared.policy)
                schedules = sync_schedules(default=declared.schedule, enabled=declared.scheduled)
            return Plan((*sources, *applied.plan.changes, *schedules))
        except IntegrityError:
            if attempt == ATTEMPTS - 1:  # Another process has just made the same rows: compare anew.
                raise
    raise AssertionError("the last attempt returns or raises")
