"""What follows from the settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.configuration.conftest import Load

TEXT = """
serving: {{feature_ttl_hours: 24}}
input_sources:
  sources:
    zoned: {{kind: csv, path: a.csv, timezone: Europe/Paris}}
    unzoned: {{kind: csv, path: a.csv}}
features:
  accounts:
    source_table: accounts
    {setting}
    features: [{{name: account_id, type: integer, is_primary_key: true}}]
"""


@pytest.mark.parametrize(
    ("setting", "max_age"),
    [("", timedelta(hours=24)), ("max_age: 30d", timedelta(days=30)), ("max_age: null", None)],
)
def test_max_age(load: Load, setting: str, max_age: timedelta | None) -> None:
    configuration = load(TEXT.format(setting=setting))
    assert configuration.max_age_of(configuration.features["accounts"]) == max_age


@pytest.mark.parametrize(
    ("setting", "timezone"),
    [
        ("", "UTC"),
        ("source: zoned", "Europe/Paris"),
        ("source: unzoned", None),
        ("{source: zoned, timezone: Asia/Tokyo}", "Asia/Tokyo"),
    ],
)
def test_timezone_of_timestamps_without_one(load: Load, setting: str, timezone: str | None) -> None:
    settings = setting.strip("{}").replace(", ", "\n    ")
    configuration = load(TEXT.format(setting=settings))
    assert configuration.timezone_of(configuration.features["accounts"]) == timezone
