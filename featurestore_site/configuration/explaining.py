"""What the checks of the models found, said to the person who wrote the file (pure)."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from featurestore_site.configuration.faults import Fault, KeyPath, dotted
from featurestore_site.configuration.reading import Document
from featurestore_site.configuration.sections import Sections

_SECRET = re.compile(r"secret|passw|token|api_?key$|credential|private_?key")

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text (in quotes, when it looks like a number or yes/no)",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
}


def explain(
    error: ValidationError, values: Mapping[str, Any], document: Document, variables: Mapping[KeyPath, str]
) -> Iterator[Fault]:
    """One fault per wrong key of ``values``, which are those of ``document`` and of the environment;
    ``variables`` names the environment variable that a key came from."""
    found: dict[KeyPath, list[Any]] = {}
    for detail in error.errors(include_url=False):
        path = _known_path(tuple(detail["loc"]), values, detail["type"])
        found.setdefault(path, []).append(detail)
    for path, details in found.items():
        if all(detail["type"] == "too_short" for detail in details) and _has_deeper(path, found):
            continue  # The list is short only because its items are the faults.
        yield place_fault(_message(path, details), path, document, variables)


def place_fault(message: str, path: KeyPath, document: Document, variables: Mapping[KeyPath, str]) -> Fault:
    """A fault of the key at ``path``, with the place that its value came from."""
    if path in variables:
        return Fault(message, key=dotted(path), variable=variables[path])
    return Fault(message, key=dotted(path), file=document.file, line=document.line_of(path))


def known_keys() -> dict[str, type[BaseModel]]:
    """Every key of the file in dotted form (``<name>`` and ``[]`` for free parts) with its model."""
    return dict(_walk(Sections, ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        yield key, model
        for kind, inner in _models_in(field.annotation):
            yield from _walk(inner, f"{key}{kind}.")


def _models_in(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
        return
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    kind = {dict: ".<name>", tuple: "[]"}.get(origin, "") if origin else ""
    for argument in arguments:
        for inner_kind, model in _models_in(argument):
            yield kind + inner_kind, model


def _known_path(loc: tuple[str | int, ...], values: Any, kind: str) -> KeyPath:
    """``loc`` without what pydantic adds to it (union branches, ``[key]``)."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        inside_mapping = isinstance(values, dict) and isinstance(part, str)
        inside_list = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if inside_list or (inside_mapping and part in values):
            values = values[part]
        elif not (last and kind == "missing" and inside_mapping):
            break
        path.append(part)
    return tuple(path)


def _has_deeper(path: KeyPath, found: Mapping[KeyPath, object]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in found)


def _message(path: KeyPath, details: list[Any]) -> str:
    # A union reports each of its branches; a sentence of our own says more than a type's name.
    own = [detail for detail in details if detail["type"] in {"value_error", "assertion_error"}]
    chosen = own or details
    return "; ".join(dict.fromkeys(_one_message(path, detail) for detail in chosen))


def _one_message(path: KeyPath, detail: Any) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return "is missing; this block needs it"
    if kind in {"value_error", "assertion_error"}:
        return str(detail["ctx"]["error"])
    shown = _shown(detail["input"])
    if kind in _EXPECTED:
        return f"is {shown}; must be {_EXPECTED[kind]}"
    if kind in {"enum", "literal_error"}:
        nearest = difflib.get_close_matches(str(detail["input"]), _choices(detail), n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        return f"is {shown}; must be {detail['ctx']['expected']}{hint}"
    return f"is {shown}; {detail['msg'].removeprefix('Input ')}"


def _choices(detail: Any) -> list[str]:
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"])


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a block of keys"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown(path: KeyPath) -> str:
    name = str(path[-1])
    if _SECRET.search(name.lower()):
        return "a secret has no place in this file; give it in the environment (docs/configuration.md)"
    keys = known_keys()
    shape = _shape(path[:-1])
    siblings = [key.rpartition(".")[2] for key in keys if key.rpartition(".")[0] == shape]
    if near := difflib.get_close_matches(name, siblings, n=1, cutoff=0.5):
        return f"unknown key; the nearest known one is {dotted((*path[:-1], near[0]))}"
    elsewhere = [key for key in keys if key.rpartition(".")[2] == name]
    if not elsewhere:
        leaves = difflib.get_close_matches(name, {key.rpartition(".")[2] for key in keys}, n=1, cutoff=0)
        elsewhere = [key for key in keys if key.rpartition(".")[2] in leaves]
    return f"unknown key; the nearest known one is {elsewhere[0]}"


def _shape(path: KeyPath) -> str:
    """``features.g.features[0]`` as the model knows it: ``features.<name>.features[]``."""
    shape = ""
    keys = known_keys()
    for part in path:
        if isinstance(part, int):
            shape += "[]"
        elif (exact := f"{shape}.{part}" if shape else part) in keys:
            shape = exact
        else:
            shape += ".<name>"
    return shape
