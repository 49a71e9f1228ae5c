from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from featurestore_site.configuration import Configuration, load_configuration

Load = Callable[..., Configuration]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the text of a configuration file as ``tmp_path/config_step7.yaml``, with an environment of its own."""

    def load_text(text: str = "", environ: Mapping[str, str] | None = None) -> Configuration:
        file = tmp_path / "config_step7.yaml"
        file.write_text(dedent(text), encoding="utf-8")
        return load_configuration(file, environ or {})

    return load_text
