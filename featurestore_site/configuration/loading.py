"""From a file and the environment to one :class:`Configuration`, or one error that tells every fault."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from featurestore_site.configuration.configuration import Configuration
from featurestore_site.configuration.cross_checks import cross_faults, secret_faults
from featurestore_site.configuration.database_address import DatabaseAddress
from featurestore_site.configuration.environment import OVERRIDES, Environment, read_environment
from featurestore_site.configuration.explaining import explain, place_fault
from featurestore_site.configuration.faults import Fault, KeyPath, refuse
from featurestore_site.configuration.reading import Document, read_document
from featurestore_site.configuration.sections import Sections
from featurestore_site.configuration.without_meaning import warnings_of

FILE_NAME = "config_step7.yaml"
PROJECT_DIR = Path(__file__).resolve().parents[2]

# Where things are when the file does not say: below the data folder, or beside the file.
IN_DATA_DIR: dict[tuple[str, ...], str] = {
    ("input_sources", "step6_datawarehouse"): "demo/datawarehouse/customer_data_warehouse.db",
    ("input_sources", "step6_reports"): "demo/reports",
    ("feature_store", "database_path"): "feature_store.db",
    ("feature_store", "metadata_path"): "feature_metadata.json",
    ("feature_store", "cache_path"): "cache",
    ("feature_store", "backup_path"): "backups",
    ("feature_store", "offline_path"): "offline",
}
BESIDE_FILE: dict[tuple[str, ...], str] = {
    ("output", "reports_dir"): "reports",
    ("output", "logs_dir"): "logs",
}


def load_configuration(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration of ``path``, of ``FEATURESTORE_CONFIG``, or of ``config_step7.yaml`` in the
    current folder or else in the project's.

    Nothing is written, and what the paths point at need not exist.

    :raises ConfigurationError: with every fault of the file and of the environment.
    """
    file = _file(path, environ)
    document = read_document(file)
    faults = list(document.faults)
    environment = read_environment(environ, faults)
    data_dir = environment.data_dir or file.parent / "data"
    variables: dict[KeyPath, str] = {OVERRIDES[name]: name for name in environment.overrides}
    values = _completed(document, environment, data_dir)
    secrets = secret_faults(document.values)
    faults += [place_fault(message, key, document, {}) for key, message in secrets]
    faults += [place_fault(message, key, document, variables) for key, message in cross_faults(values)]
    sections = None
    try:
        sections = Sections.model_validate(values, context={"base": file.parent})
    except ValidationError as error:
        faults += explain(error, values, document, variables)
    refuse(faults)
    assert sections is not None  # Without sections there was a fault.
    database = environment.database or _sqlite(sections)
    if database.kind == "sqlite":
        store = sections.feature_store.model_copy(update={"database_path": Path(database.name)})
        sections = sections.model_copy(update={"feature_store": store})
    return Configuration(
        file=file,
        data_dir=data_dir,
        database=database,
        environment=environment,
        warnings=tuple(_warnings(document, sections, environment, database)),
        **{name: getattr(sections, name) for name in Sections.model_fields},
    )


def _file(path: Path | None, environ: Mapping[str, str]) -> Path:
    named = path or environ.get("FEATURESTORE_CONFIG") or None
    if named is not None:
        return Path(named).expanduser().absolute().resolve()
    for folder in (Path.cwd(), PROJECT_DIR):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    message = f"there is no {FILE_NAME} in {Path.cwd()}; write one, or name yours in FEATURESTORE_CONFIG"
    refuse([Fault(message)])
    raise AssertionError  # refuse() raised.


def _completed(document: Document, environment: Environment, data_dir: Path) -> dict[str, Any]:
    """The values of the file with the places it leaves open and with what the environment overrides."""
    values: dict[str, Any] = copy.deepcopy(document.values)
    for section in ("input_sources", "feature_store", "output"):
        if values.get(section) is None:
            values[section] = {}
    # A section without any key below it is empty, not wrong.
    values = {name: {} if value is None and name in Sections.model_fields else value for name, value in values.items()}
    for base, places in ((data_dir, IN_DATA_DIR), (document.file.parent, BESIDE_FILE)):
        for key, place in places.items():
            block = _block(values, key)
            if block is not None and block.get(key[-1]) is None:
                block[key[-1]] = str(base / place)
    for variable, value in environment.overrides.items():
        block = _block(values, OVERRIDES[variable])
        if block is not None:
            block[OVERRIDES[variable][-1]] = value
    return values


def _block(values: dict[str, Any], key: tuple[str, ...]) -> dict[str, Any] | None:
    """The block that holds ``key``, made when missing; ``None`` when the file has something else there."""
    block: Any = values
    for part in key[:-1]:
        if block.get(part) is None:
            block[part] = {}
        block = block[part]
        if not isinstance(block, dict):
            return None
    return cast("dict[str, Any]", block)


def _sqlite(sections: Sections) -> DatabaseAddress:
    return DatabaseAddress(kind="sqlite", name=str(sections.feature_store.database_path))


def _warnings(
    document: Document, sections: Sections, environment: Environment, database: DatabaseAddress
) -> Iterator[str]:
    yield from warnings_of(document, database=database.kind)
    yield from environment.warnings
    if not sections.security.api_authentication:
        yield (
            "security.api_authentication is false: everyone who can reach this address may read "
            "what a viewer may, without a token."
        )
    configured = Environment().allowed_hosts != environment.allowed_hosts
    if configured and environment.secret_key is None:
        yield (
            "FEATURESTORE_SECRET_KEY is not set: the key in the data folder is used, so every process "
            "of this site must share that folder."
        )
