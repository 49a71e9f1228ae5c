"""What a training dataset is asked to be, and how it is split, from a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import pyarrow as pa

from catalog.errors import InvalidInput
from serving.api import historical_request
from serving.api.historical_request import HistoricalRequest
from serving.datasets.requesting import DatasetRequest
from serving.datasets.splitting import SplitRule
from serving.instants import parse_instant

_OWN_FIELDS = ("name", "description", "at", "table_versions")
_TABLE_VERSION = re.compile(r"(?P<group>[^:,\s]+):(?P<version>\d{1,18})")
_FRACTION = re.compile(r"(?P<name>[\w-]{1,50}):(?P<share>\d(?:\.\d{1,12})?|\.\d{1,12})")
_LARGEST_SEED = 2**63


def dataset_from_json(body: Mapping[str, object]) -> DatasetRequest:
    """The request of a JSON body: the fields of ``features/historical`` and those of a dataset.

    :raises InvalidInput: naming the field that is unknown, missing or malformed.
    """
    own = {name: body[name] for name in _OWN_FIELDS if name in body}
    rest = {name: value for name, value in body.items() if name not in _OWN_FIELDS}
    versions = own.get("table_versions")
    if versions is not None and not (isinstance(versions, Mapping) and all(map(_is_version, versions.values()))):
        raise InvalidInput(
            'table_versions is an object of whole numbers by group, such as {"customer_financial": 7}',
            details={"field": "table_versions"},
        )
    return _dataset(historical_request.from_json(rest), own, versions or {})


def dataset_from_table(table: pa.Table, parameters: Mapping[str, Sequence[str]]) -> DatasetRequest:
    """The request of an Arrow or Parquet body with its query parameters.

    :raises InvalidInput: naming the parameter that is unknown, repeated or malformed.
    """
    own = {name: _once(name, parameters[name]) for name in _OWN_FIELDS if name in parameters}
    rest = {name: values for name, values in parameters.items() if name not in _OWN_FIELDS}
    return _dataset(historical_request.from_table(table, rest), own, _table_versions(own.get("table_versions", "")))


def split_rule(parameters: Mapping[str, Sequence[str]]) -> SplitRule | None:
    """The parts that the query asks for by ``fractions``, ``seed``, ``by`` or ``split``; None when it names none.

    :raises InvalidInput: naming the parameter that is unknown, repeated or malformed.
    """
    unknown = sorted(set(parameters) - {"split", "fractions", "seed", "by"})
    if unknown:
        raise InvalidInput(
            f"{', '.join(unknown)} is not a parameter of this call; there are split, fractions, seed, by",
            details={"fields": unknown},
        )
    given = {name: _once(name, values) for name, values in parameters.items()}
    if not given:
        return None
    plain = SplitRule()
    return SplitRule(
        fractions=_fractions(given["fractions"]) if "fractions" in given else plain.fractions,
        seed=_seed(given["seed"]) if "seed" in given else plain.seed,
        by=_by(given["by"]) if "by" in given else plain.by,
    )


def _dataset(read: HistoricalRequest, own: Mapping[str, object], versions: Mapping[str, int]) -> DatasetRequest:
    if "name" not in own:
        raise InvalidInput("name is missing: what the training dataset is called", details={"field": "name"})
    description = own.get("description") or ""
    if not isinstance(description, str) or "\0" in description:
        raise InvalidInput("description is a text", details={"field": "description"})
    at: datetime | None = None if own.get("at") is None else parse_instant(own["at"], name="at", bound="end")
    return DatasetRequest(
        name=own["name"],  # type: ignore[arg-type]  # the verb checks that it is a text
        frame=read.frame,
        features=read.features,
        service=read.service,
        description=description,
        time_range=read.time_range,
        known_at=read.known_at,
        at=at,
        table_versions=versions,
        key_map=read.key_map,
    )


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _table_versions(text: str) -> dict[str, int]:
    versions = {}
    for part in filter(None, text.split(",")):
        found = _TABLE_VERSION.fullmatch(part)
        if found is None:
            raise InvalidInput(
                f"table_versions has {part!r}; write group:version between commas, such as customer_financial:7",
                details={"field": "table_versions"},
            )
        versions[found["group"]] = int(found["version"])
    return versions


def _once(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InvalidInput(f"{name} is given twice", details={"field": name})
    return values[0]


def _fractions(text: str) -> dict[str, float]:
    fractions: dict[str, float] = {}
    for part in text.split(","):
        found = _FRACTION.fullmatch(part.strip())
        if found is None or found["name"] in fractions:
            raise InvalidInput(
                f"fractions has {part!r}; write each part once as name:fraction, such as train:0.8,test:0.2",
                details={"field": "fractions"},
            )
        fractions[found["name"]] = float(found["share"])
    return fractions


def _seed(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text) or not -_LARGEST_SEED <= int(text) < _LARGEST_SEED:
        raise InvalidInput(f"seed is {text!r}, not a whole number of 64 bits", details={"field": "seed"})
    return int(text)


def _by(text: str) -> Literal["entity", "row"]:
    if text == "entity":
        return "entity"
    if text == "row":
        return "row"
    raise InvalidInput(f"by is {text!r}; split by entity or by row", details={"field": "by"})
