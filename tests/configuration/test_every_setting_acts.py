"""Every setting does something, or says that it does not."""

from __future__ import annotations

import re

import pytest

from featurestore_site.configuration import load_configuration
from featurestore_site.configuration.faults import dotted
from featurestore_site.configuration.loading import PROJECT_DIR
from featurestore_site.configuration.without_meaning import TABLE
from tests.configuration.test_documentation import PAGE, leaves

CONFIGURATION = "featurestore_site/configuration/configuration.py"
SETTINGS = "featurestore_site/settings.py"
DATABASES = "featurestore_site/databases.py"
DESIRED = "catalog/registration/desired.py"
CHECKS = "ingestion/checks/columns.py"
PLAN = "ingestion/plan.py"
ASSESSMENT = "ingestion/assessment.py"
SHORTFALLS = "ingestion/profiles/shortfalls.py"
WRITING = "ingestion/documentation/writing.py"
ALERTS = "ingestion/alerts.py"
LOGS = "featurestore_site/logs.py"
APPLYING = "ingestion/applying.py"
STARTING = "featurestore_site/serving_processes.py"
SERVE = "featurestore_site/management/commands/serve.py"

# Key → the module that acts on it, and the name by which it reads it where that is not the key's own: what is
# declared of groups and features becomes fields of the catalog, and those are what is read.
READERS: dict[str, str | tuple[str, str]] = {
    "input_sources.step6_datawarehouse": CONFIGURATION,
    "input_sources.step6_reports": APPLYING,
    "input_sources.step6_metadata_pattern": "ingestion/step6/inheritance.py",
    "input_sources.feature_metadata_source": "ingestion/step6/inheritance.py",
    "input_sources.sources": CONFIGURATION,
    "input_sources.sources.<name>.kind": APPLYING,
    "input_sources.sources.<name>.path": APPLYING,
    "input_sources.sources.<name>.timezone": CONFIGURATION,
    "entities.<name>.join_keys": "catalog/registration/entity_inference.py",
    "entities.<name>.description": "catalog/registration/comparison.py",
    "feature_store.database_path": "featurestore_site/configuration/loading.py",
    "feature_store.metadata_path": WRITING,
    "feature_store.cache_enabled": SETTINGS,
    "feature_store.cache_path": SETTINGS,
    "feature_store.backup_enabled": "featurestore_site/tasks.py",
    "feature_store.backup_path": "featurestore_site/backup.py",
    "feature_store.connection_pool_size": DATABASES,
    "feature_store.offline_path": "serving/stores/offline.py",
    "feature_store.online_store": "serving/stores/online.py",
    "feature_store.history_memory_limit": "serving/engine_limits.py",
    "serving.online_store_enabled": "serving/online_reads.py",
    "serving.offline_store_enabled": "serving/historical.py",
    "serving.api_enabled": "featurestore_site/api.py",
    "serving.api_host": SERVE,
    "serving.api_port": SERVE,
    "serving.max_cache_size": "catalog/generation.py",
    "serving.feature_ttl_hours": CONFIGURATION,
    "serving.request_timeout_seconds": "serving/stores/redis_online.py",
    "serving.enable_api_docs": "featurestore_site/api.py",
    "serving.workers": STARTING,
    "serving.threads": STARTING,
    "serving.max_rows_json": "serving/api/historical.py",
    "features.<name>.description": DESIRED,
    "features.<name>.source": "ingestion/plan.py",
    "features.<name>.source_table": PLAN,
    "features.<name>.features": "catalog/declarations.py",
    "features.<name>.features[].name": DESIRED,
    "features.<name>.features[].type": (PLAN, "data_type"),
    "features.<name>.features[].description": DESIRED,
    "features.<name>.features[].source_column": PLAN,
    "features.<name>.features[].expression": PLAN,
    "features.<name>.features[].version": DESIRED,
    "features.<name>.features[].tags": DESIRED,
    "features.<name>.features[].categories": CHECKS,
    "features.<name>.features[].validation.min_value": CHECKS,
    "features.<name>.features[].validation.max_value": CHECKS,
    "features.<name>.features[].validation.pattern": CHECKS,
    "features.<name>.features[].validation.nullable": CHECKS,
    "features.<name>.features[].validation.unique": CHECKS,
    "features.<name>.features[].validation.severity": "ingestion/checks/checking.py",
    "features.<name>.features[].is_primary_key": "catalog/declarations.py",
    "features.<name>.features[].unit": "catalog/api/feature_serializers.py",
    "features.<name>.features[].default": ("serving/online_plan.py", "default_value"),
    "features.<name>.features[].sensitivity": "catalog/models/feature.py",
    "features.<name>.features[].mask": "serving/clearance.py",
    "features.<name>.features[].owner": DESIRED,
    "features.<name>.features[].tier": DESIRED,
    "features.<name>.features[].drift_threshold": ASSESSMENT,
    "features.<name>.entity": "catalog/registration/entity_inference.py",
    "features.<name>.join_keys": "catalog/registration/entity_inference.py",
    "features.<name>.timestamp_column": PLAN,
    "features.<name>.created_column": PLAN,
    "features.<name>.timezone": PLAN,
    "features.<name>.max_age": "serving/online_plan.py",
    "features.<name>.freshness": "ingestion/group_status.py",
    "features.<name>.owner": DESIRED,
    "features.<name>.tags": DESIRED,
    "features.<name>.sensitivity": "catalog/models/feature.py",
    "features.<name>.schedule": DESIRED,
    "features.<name>.key_map": PLAN,
    "features.<name>.rules": (PLAN, "row_rules"),
    "features.<name>.rules[].name": "ingestion/checks/rows.py",
    "features.<name>.rules[].expression": "ingestion/checks/rows.py",
    "features.<name>.rules[].severity": "ingestion/checks/checking.py",
    "features.<name>.rules[].description": "ingestion/checks/checking.py",
    "services.<name>.features": "catalog/registration/pins.py",
    "services.<name>.description": "catalog/registration/pins.py",
    "services.<name>.owner": "catalog/registration/pins.py",
    "ingestion.auto_ingestion_enabled": APPLYING,
    "ingestion.schedule": APPLYING,
    "ingestion.batch_size": PLAN,
    "ingestion.validate_on_ingestion": "ingestion/pipeline.py",
    "ingestion.broker_url": CONFIGURATION,
    "versioning.auto_versioning": "catalog/registration/evolution.py",
    "versioning.retain_versions": "catalog/registration/comparison.py",
    "versioning.enable_deprecation": APPLYING,
    "versioning.deprecation_warning_days": CONFIGURATION,
    "validation.quality_monitoring_enabled": ASSESSMENT,
    "validation.quality_thresholds.completeness_min": SHORTFALLS,
    "validation.quality_thresholds.validity_min": SHORTFALLS,
    "validation.quality_thresholds.consistency_min": SHORTFALLS,
    "validation.validation_rules.outlier_detection": ASSESSMENT,
    "validation.validation_rules.outlier_threshold": ASSESSMENT,
    "validation.validation_rules.drift_detection": ASSESSMENT,
    "validation.validation_rules.drift_threshold": ASSESSMENT,
    "validation.alerts.enabled": ALERTS,
    "validation.alerts.email_notifications": ALERTS,
    "validation.alerts.email_to": ALERTS,
    "validation.alerts.log_alerts": ALERTS,
    "validation.alerts.webhook": ALERTS,
    "output.reports_dir": WRITING,
    "output.logs_dir": "serving/access_log.py",
    "output.detailed_logging": LOGS,
    "output.export_formats": WRITING,
    "output.generate_docs": WRITING,
    "output.docs_format": WRITING,
    "performance.connection_pooling": DATABASES,
    "performance.query_caching": SETTINGS,
    "performance.history_index_memory": "serving/stores/opened.py",
    "performance.online_answer_memory": "serving/online_plan.py",
    "performance.cache_ttl_minutes": CONFIGURATION,
    "performance.parallel_workers": STARTING,
    "performance.worker_niceness": STARTING,
    "security.api_authentication": "catalog/access.py",
    "security.api_key_header": "serving/authentication.py",
    "security.rate_limiting.enabled": "featurestore_site/throttling.py",
    "security.rate_limiting.requests_per_minute": "featurestore_site/throttling.py",
    "security.cors.enabled": SETTINGS,
    "security.cors.allow_origins": SETTINGS,
    "security.cors.allow_methods": SETTINGS,
    "integration.upstream.step6_required": "ingestion/problems.py",
    "integration.upstream.validate_step6_outputs": "ingestion/step6/inheritance.py",
    "integration.upstream.step6_health_check": "ingestion/health.py",
    "integration.downstream.export_feature_schemas": WRITING,
    "monitoring.metrics_enabled": "ingestion/api/metrics.py",
    "monitoring.metrics_interval": "ingestion/metrics.py",
    "monitoring.health_checks.enabled": "ingestion/health.py",
    "monitoring.health_checks.interval_seconds": "ingestion/health.py",
    "monitoring.health_checks.timeout_seconds": CONFIGURATION,
    "monitoring.logging.level": LOGS,
    "monitoring.logging.format": LOGS,
    "monitoring.logging.max_log_files": LOGS,
    "monitoring.logging.max_log_size_mb": LOGS,
}  # fmt: skip

# What the configuration object makes of a key; the key acts only where somebody asks for that.
DERIVED = {
    "input_sources.step6_datawarehouse": ("sources", APPLYING),
    "input_sources.sources": ("sources", APPLYING),
    "input_sources.sources.<name>.timezone": ("timezone_of", APPLYING),
    "serving.feature_ttl_hours": ("default_max_age", APPLYING),
    "ingestion.broker_url": ("broker_url", SETTINGS),
    "versioning.deprecation_warning_days": ("deprecation_notice", "ingestion/problems.py"),
    "performance.cache_ttl_minutes": ("cache_ttl", SETTINGS),
    "monitoring.health_checks.timeout_seconds": ("health_timeout", "ingestion/health.py"),
}
WITHOUT_MEANING = {dotted(entry.key) for entry in TABLE}


def reads(module: str, name: str) -> bool:
    return re.search(rf"\.{name}\b", (PROJECT_DIR / module).read_text(encoding="utf-8")) is not None


def test_every_key_has_its_reader_or_its_reason() -> None:
    assert set(READERS) | WITHOUT_MEANING == set(leaves())
    assert set(READERS) & WITHOUT_MEANING == set()


@pytest.mark.parametrize("key", READERS)
def test_the_reader_reads_it(key: str) -> None:
    found = READERS[key]
    module, name = found if isinstance(found, tuple) else (found, key.rpartition(".")[2])
    assert reads(module, name), f"{module} does not read {name}"


def test_what_only_the_configuration_reads_is_asked_of_it() -> None:
    assert set(DERIVED) == {key for key, reader in READERS.items() if reader == CONFIGURATION}
    for name, module in DERIVED.values():
        assert reads(module, name), f"{module} does not ask for {name}"


def test_the_documentation_says_the_same_of_what_has_no_effect() -> None:
    said = set(re.findall(r"^\| `([a-z0-9_.<>\[\]]+)`.*(?:[Nn]o effect|nothing is deleted)", PAGE, re.MULTILINE))
    # These have none on some databases.
    assert said - {"feature_store.backup_enabled", "performance.connection_pooling"} == WITHOUT_MEANING


def test_the_shipped_file_holds_nothing_without_meaning() -> None:
    configuration = load_configuration(PROJECT_DIR / "config_step7.yaml", {})
    assert [warning for warning in configuration.warnings if "no effect" in warning] == []
