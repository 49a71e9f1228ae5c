"""The one configuration object that the whole store reads (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from catalog.declarations import CatalogDeclaration, EntityDeclaration, GroupDeclaration, ServiceDeclaration
from featurestore_site.configuration.database_address import DatabaseAddress
from featurestore_site.configuration.environment import LOCAL_HOSTS, Environment
from featurestore_site.configuration.secret_key import kept_secret_key
from featurestore_site.configuration.sections import (
    FeatureStoreSection,
    Ingestion,
    InputSources,
    Integration,
    Monitoring,
    Output,
    Performance,
    QualityValidation,
    Security,
    Serving,
    SourceSettings,
    Versioning,
)

WAREHOUSE = "warehouse"
FILESYSTEM_BROKER = "filesystem://localhost"


@dataclass(frozen=True)
class Configuration:
    """The sections of the file as they hold after the environment, and what follows from them.

    Every path is absolute. ``warnings`` are sentences for people, to be shown at start.
    """

    file: Path
    data_dir: Path
    database: DatabaseAddress
    environment: Environment
    input_sources: InputSources
    entities: dict[str, EntityDeclaration]
    feature_store: FeatureStoreSection
    serving: Serving
    features: dict[str, GroupDeclaration]
    services: dict[str, ServiceDeclaration]
    ingestion: Ingestion
    versioning: Versioning
    validation: QualityValidation
    output: Output
    performance: Performance
    security: Security
    integration: Integration
    monitoring: Monitoring
    warnings: tuple[str, ...]

    @cached_property
    def catalog_declaration(self) -> CatalogDeclaration:
        """What ``apply`` makes the catalog match."""
        return CatalogDeclaration(entities=self.entities, groups=self.features, services=self.services)

    @property
    def sources(self) -> dict[str, SourceSettings]:
        """Every source by name; ``warehouse`` is the one that step 6 left, whose timestamps are UTC."""
        path = self.input_sources.step6_datawarehouse
        warehouse = SourceSettings(kind="sqlite", path=path, timezone="UTC")
        return {WAREHOUSE: warehouse, **self.input_sources.sources}

    def timezone_of(self, group: GroupDeclaration) -> str | None:
        """The zone of the group's timestamps that carry none; ``None``: such timestamps are refused."""
        if "timezone" in group.model_fields_set:
            return group.timezone
        return self.sources[group.source].timezone

    def max_age_of(self, group: GroupDeclaration) -> timedelta | None:
        """How old a value of the group may be and still be used; ``None``: any age."""
        return self.default_max_age if group.max_age == "default" else group.max_age

    @property
    def default_max_age(self) -> timedelta | None:
        """``serving.feature_ttl_hours`` as a time span."""
        hours = self.serving.feature_ttl_hours
        return None if hours is None else timedelta(hours=hours)

    @property
    def offline_path(self) -> str:
        """The folder or address (``s3://…``) that holds one Delta table per group."""
        return self.feature_store.offline_path

    @property
    def reports_dir(self) -> Path:
        return self.output.reports_dir

    @property
    def logs_dir(self) -> Path:
        return self.output.logs_dir

    @property
    def broker_url(self) -> str:
        """The Celery broker; by default files in :attr:`broker_dir`, which need no server."""
        return self.ingestion.broker_url or FILESYSTEM_BROKER

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"

    @property
    def cache_ttl(self) -> timedelta:
        return timedelta(minutes=self.performance.cache_ttl_minutes)

    @property
    def deprecation_notice(self) -> timedelta:
        """How long before its end a deprecated version warns its readers."""
        return timedelta(days=self.versioning.deprecation_warning_days)

    @property
    def request_timeout(self) -> timedelta:
        return timedelta(seconds=self.serving.request_timeout_seconds)

    @property
    def health_interval(self) -> timedelta:
        """How long the result of a health check is told again before it is checked anew."""
        return timedelta(seconds=self.monitoring.health_checks.interval_seconds)

    @property
    def health_timeout(self) -> timedelta:
        return timedelta(seconds=self.monitoring.health_checks.timeout_seconds)

    @property
    def laptop(self) -> bool:
        """Whether the site answers on this machine only: nobody has said by which names it is reached."""
        return self.environment.allowed_hosts == LOCAL_HOSTS

    @cached_property
    def secret_key(self) -> str:
        """The signing key from the environment; on a laptop one that is made once and kept.

        :raises ConfigurationError: when there is none and none can be made.
        """
        return self.environment.secret_key or kept_secret_key(self.data_dir / "secret_key")
