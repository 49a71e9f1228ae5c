"""The sections of the configuration file with their defaults (pure: no Django).

Paths without a default get theirs from :data:`featurestore_site.configuration.loading.DEFAULT_PLACES`,
because it depends on the data folder.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from catalog.declarations import EntityDeclaration, GroupDeclaration, ServiceDeclaration
from featurestore_site.configuration.values import (
    BrokerAddress,
    Cron,
    Header,
    Key,
    Location,
    LogFormat,
    Memory,
    OneOrMore,
    OnlineStore,
    Origin,
    Place,
    Section,
    TimeZone,
    WebAddress,
)

Fraction = Annotated[float, Field(ge=0, le=1)]
AtLeastOne = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class SourceSettings(Section):
    """A place that values come from, beyond the step-6 warehouse."""

    kind: Literal["sqlite", "csv", "parquet"]
    path: Location
    timezone: TimeZone | None = None  # of timestamps without a zone; none: those are refused


class InputSources(Section):
    step6_datawarehouse: Location
    step6_reports: Location
    step6_metadata_pattern: str = Field(default="feature_engineering_summary_*.json", min_length=1)
    feature_metadata_source: Literal["latest"] | Location = "latest"
    sources: dict[Key, SourceSettings] = Field(default_factory=dict)


class FeatureStoreSection(Section):
    database_path: Location
    metadata_path: Location
    cache_enabled: bool = True
    cache_path: Location
    backup_enabled: bool = False
    backup_path: Location
    connection_pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    offline_path: Place
    online_store: OnlineStore = "database"
    history_memory_limit: Memory = "2GB"


class Serving(Section):
    online_store_enabled: bool = True
    offline_store_enabled: bool = True
    api_enabled: bool = True
    api_host: str = Field(default="127.0.0.1", min_length=1)
    api_port: Port = 8000
    max_cache_size: Annotated[int, Field(ge=0)] = 1000
    feature_ttl_hours: Annotated[float, Field(gt=0, le=876_000)] | None = None
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    enable_api_docs: bool = True
    workers: AtLeastOne = 1
    threads: AtLeastOne = 4
    max_rows_json: AtLeastOne = 100_000


class Ingestion(Section):
    auto_ingestion_enabled: bool = True
    schedule: Cron = "0 */6 * * *"
    batch_size: AtLeastOne = 10_000
    incremental_updates: bool = True
    conflict_resolution: Literal["latest_wins", "version_increment"] = "latest_wins"
    validate_on_ingestion: bool = True
    broker_url: BrokerAddress | None = None


class Versioning(Section):
    auto_versioning: bool = True
    version_format: Literal["semantic", "timestamp", "incremental"] = "semantic"
    retain_versions: AtLeastOne = 10
    enable_deprecation: bool = True
    deprecation_warning_days: Annotated[int, Field(ge=0)] = 30


class QualityThresholds(Section):
    completeness_min: Fraction = 0.95
    validity_min: Fraction = 0.90
    consistency_min: Fraction = 0.85


class ValidationRules(Section):
    outlier_detection: bool = True
    outlier_threshold: Annotated[float, Field(gt=0)] = 3.0
    drift_detection: bool = True
    drift_threshold: Annotated[float, Field(gt=0)] = 0.2


class Alerts(Section):
    enabled: bool = True
    email_notifications: bool = False
    email_to: tuple[str, ...] = Field(default=(), strict=False)
    log_alerts: bool = True
    webhook: WebAddress | None = None


class QualityValidation(Section):
    quality_monitoring_enabled: bool = True
    quality_thresholds: QualityThresholds = QualityThresholds()
    validation_rules: ValidationRules = ValidationRules()
    alerts: Alerts = Alerts()


class Output(Section):
    reports_dir: Location
    logs_dir: Location
    detailed_logging: bool = False
    export_formats: tuple[Literal["json", "csv", "parquet"], ...] = Field(default=("json",), strict=False)
    generate_docs: bool = True
    docs_format: Annotated[
        tuple[Literal["markdown", "html", "json"], ...], OneOrMore, Field(strict=False, min_length=1)
    ] = ("markdown", "html", "json")


class Performance(Section):
    query_optimization: bool = True
    auto_create_indexes: bool = True
    connection_pooling: bool = False
    query_caching: bool = True
    cache_ttl_minutes: Annotated[float, Field(gt=0)] = 5.0
    parallel_workers: AtLeastOne = 1
    worker_niceness: Annotated[int, Field(ge=0, le=19)] = 5
    history_index_memory: Memory = "256MB"
    online_answer_memory: Memory = "64MB"


class RateLimiting(Section):
    enabled: bool = False
    requests_per_minute: AtLeastOne = 60_000


class Cors(Section):
    enabled: bool = False
    allow_origins: tuple[Origin, ...] = Field(default=(), strict=False)
    allow_methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"], ...] = Field(
        default=("GET", "POST", "OPTIONS"), strict=False
    )


class Security(Section):
    api_authentication: bool = True
    api_key_header: Header = "X-API-Key"
    rate_limiting: RateLimiting = RateLimiting()
    cors: Cors = Cors()


class Upstream(Section):
    step6_required: bool = True
    validate_step6_outputs: bool = True
    step6_health_check: bool = True


class Downstream(Section):
    prepare_for_step8: bool = False
    prepare_for_step9: bool = False
    export_feature_schemas: bool = True


class Integration(Section):
    upstream: Upstream = Upstream()
    downstream: Downstream = Downstream()


class HealthChecks(Section):
    enabled: bool = True
    interval_seconds: Annotated[float, Field(ge=0)] = 10.0
    timeout_seconds: Annotated[float, Field(gt=0)] = 5.0


class Logging(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    format: LogFormat = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    max_log_files: AtLeastOne = 5
    max_log_size_mb: Annotated[float, Field(gt=0)] = 10.0


class Monitoring(Section):
    metrics_enabled: bool = True
    metrics_interval: Annotated[float, Field(gt=0)] = 60.0
    health_checks: HealthChecks = HealthChecks()
    logging: Logging = Logging()


class Sections(Section):
    """All that a configuration file can say."""

    input_sources: InputSources
    entities: dict[Key, EntityDeclaration] = Field(default_factory=dict)
    feature_store: FeatureStoreSection
    serving: Serving = Serving()
    features: dict[Key, GroupDeclaration] = Field(default_factory=dict)
    services: dict[Key, ServiceDeclaration] = Field(default_factory=dict)
    ingestion: Ingestion = Ingestion()
    versioning: Versioning = Versioning()
    validation: QualityValidation = QualityValidation()
    output: Output
    performance: Performance = Performance()
    security: Security = Security()
    integration: Integration = Integration()
    monitoring: Monitoring = Monitoring()
