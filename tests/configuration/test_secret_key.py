"""The signing key of a laptop run."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from catalog.errors import ConfigurationError
from featurestore_site.configuration.secret_key import kept_secret_key
from tests.configuration.conftest import Load


def test_it_is_made_once_and_only_the_owner_reads_it(load: Load) -> None:
    configuration = load()
    file = configuration.data_dir / "secret_key"
    assert configuration.secret_key == load().secret_key
    assert len(configuration.secret_key) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in configuration.data_dir.iterdir()] == ["secret_key"]


def test_processes_that_race_get_the_same_key(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret_key"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(kept_secret_key, [file] * 12, chunksize=1)
    assert len(set(keys)) == 1


def test_where_none_can_be_kept_the_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="set FEATURESTORE_SECRET_KEY"):
        kept_secret_key(tmp_path / "data" / "secret_key")


def test_a_site_for_others_is_told_to_set_one(load: Load) -> None:
    warnings = load("", {"FEATURESTORE_ALLOWED_HOSTS": "store.example.org"}).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("FEATURESTORE_SECRET_KEY is not set")
