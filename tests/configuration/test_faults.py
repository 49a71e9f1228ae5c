"""Every fault is told at once, with its place and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigurationError
from featurestore_site.configuration import load_configuration
from tests.configuration.conftest import Load

GROUP = """
features:
  accounts:
    source_table: accounts
    {setting}
    features: [{{name: account_id, type: integer, is_primary_key: true}}]
"""


def faults_of(load: Load, text: str, environ: dict[str, str] | None = None) -> list[tuple[int | None, str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, environ)
    return [(fault["line"], fault["key"], fault["message"]) for fault in caught.value.details["faults"]]


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("serving: {api_prot: 1}", "serving.api_prot", "unknown key; the nearest known one is serving.api_port"),
        ("servnig: {}", "servnig", "unknown key; the nearest known one is serving"),
        (
            "serving: {database_path: x}",
            "serving.database_path",
            "unknown key; the nearest known one is feature_store.database_path",
        ),
        ("serving: {api_port: '80'}", "serving.api_port", "is '80'; must be a whole number"),
        ("serving: {api_port: 80.5}", "serving.api_port", "is 80.5; must be a whole number"),
        ("serving: {api_port: yes}", "serving.api_port", "is true; must be a whole number"),
        ("serving: {api_port: 0}", "serving.api_port", "is 0; should be greater than or equal to 1"),
        ("serving: {api_enabled: 1}", "serving.api_enabled", "is 1; must be true or false"),
        ("serving: [a]", "serving", "is a list; must be a block of keys"),
        (
            "ingestion: {conflict_resolution: latest}",
            "ingestion.conflict_resolution",
            "is 'latest'; must be 'latest_wins' or 'version_increment'; did you mean latest_wins?",
        ),
        (
            "ingestion: {schedule: '0 99 * * *'}",
            "ingestion.schedule",
            "'0 99 * * *' is not a cron schedule; write minute hour day month weekday, such as '0 */6 * * *'",
        ),
        (
            "entities: {customer: {join_keys: [1]}}",
            "entities.customer.join_keys[0]",
            "is 1; must be text (in quotes, when it looks like a number or yes/no)",
        ),
        (
            "monitoring: {logging: {format: '%(nope'}}",
            "monitoring.logging.format",
            "'%(nope' is not a log format: Invalid format '%(nope' for '%' style",
        ),
        (
            "input_sources: {sources: {a: {kind: csv, path: a.csv, timezone: Mars}}}",
            "input_sources.sources.a.timezone",
            "'Mars' is not a time zone; write one such as UTC or Europe/Paris",
        ),
        (
            "input_sources: {sources: {warehouse: {kind: csv, path: a.csv}}}",
            "input_sources.sources.warehouse",
            "is the name of the step-6 warehouse; set input_sources.step6_datawarehouse instead",
        ),
        (
            "feature_store: {database_path: 'postgres://host/name'}",
            "feature_store.database_path",
            "'postgres://host/name' is an address; here only a path is possible",
        ),
        (
            "feature_store: {secret_key: abc}",
            "feature_store.secret_key",
            "a secret has no place in this file; give it in the environment (docs/configuration.md)",
        ),
        (
            "ingestion: {broker_url: 'amqp://me:pw@host//'}",
            "ingestion.broker_url",
            "holds a password; a secret has no place in this file, give it in the environment",
        ),
        (
            GROUP.format(setting="source: warehose"),
            "features.accounts.source",
            "'warehose' names no source; the nearest of input_sources.sources is warehouse",
        ),
        (
            GROUP.format(setting="max_age: soon"),
            "features.accounts.max_age",
            "'soon' is not a duration; write a number and a unit, such as 15m, 24h or 30d",
        ),
        ("features: {accounts: {source_table: t}}", "features.accounts.features", "is missing; this block needs it"),
        ("a: 1\na: 2\nserving: {}", "a", "is given twice, first on line 1; keep one"),
    ],
)
def test_one_fault(load: Load, text: str, key: str, message: str) -> None:
    assert (key, message) in [(found_key, found) for _, found_key, found in faults_of(load, text)]


def test_all_faults_come_together_with_file_and_line(load: Load, tmp_path: Path) -> None:
    text = """\
        serving:
          api_prot: 8000
          api_port: no
        features:
          accounts:
            source_table: accounts
            schedule: hourly
            features:
              - {name: account_id, type: integer, is_primary_key: true}
              - name: balance
                type: flaot
    """
    with pytest.raises(ConfigurationError) as caught:
        load(text, {"FEATURESTORE_DEBUG": "perhaps"})

    file = tmp_path / "config_step7.yaml"
    assert caught.value.message.splitlines() == [
        "The configuration has 5 faults:",
        f"{file}:2: serving.api_prot: unknown key; the nearest known one is serving.api_port",
        f"{file}:3: serving.api_port: is false; must be a whole number",
        f"{file}:7: features.accounts.schedule: 'hourly' is not a cron schedule; "
        "write minute hour day month weekday, such as '0 */6 * * *'",
        f"{file}:11: features.accounts.features[1].type: is 'flaot'; must be 'float', 'integer', 'string', "
        "'boolean', 'timestamp' or 'float_list'; did you mean float?",
        "environment FEATURESTORE_DEBUG: is 'perhaps'; must be 1 or 0",
    ]


def test_a_password_is_never_shown(load: Load) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("feature_store: {online_store: 'redis://:hunter2@host/0'}", {"DATABASE_URL": "x://me:hunter2@h/d"})
    assert "hunter2" not in str(caught.value)
    assert len(caught.value.details["faults"]) == 2


def test_an_empty_section_has_its_defaults(load: Load) -> None:
    assert load("serving:\nfeature_store:\noutput:\n").serving.api_port == 8000


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_configuration(None, {"FEATURESTORE_CONFIG": str(tmp_path / "nowhere.yaml")})
