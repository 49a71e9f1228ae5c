"""YAML with the line of every key; duplicate keys and everything that is not plain data are faults.

Scalars are read as people mean them: ``1e6`` is a number, ``010`` and ``2024-01-01`` stay text, and a
time such as ``12:30`` is not turned into 750 as YAML 1.1 would have it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from featurestore_site.configuration.faults import Fault, KeyPath, refuse

MAX_NODES = 200_000

_TAG = "tag:yaml.org,2002:"
_FLOAT = r"[-+]?(?:(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+)"
_TRUE = frozenset({"true", "yes", "on"})


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _pattern, _first in (
    ("bool", r"(?i:true|false|yes|no|on|off)", "tTfFyYnNoO"),
    ("null", r"~|(?i:null)|", "~nN\0"),
    ("int", r"[-+]?(?:0|[1-9][\d_]*)", "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    # An empty plain scalar has no first character; PyYAML files its resolvers under "".
    _Loader.add_implicit_resolver(
        _TAG + _name, re.compile(rf"(?:{_pattern})\Z"), ["" if c == "\0" else c for c in _first]
    )


@dataclass(frozen=True)
class Document:
    """The plain data of a file, and the line (from 1) of each key or list item."""

    file: Path
    values: dict[str, Any]
    lines: dict[KeyPath, int]
    faults: list[Fault] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int | None:
        """The line of ``path``, or of the nearest thing around it that the file has."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


class _Builder:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []
        self._open: set[int] = set()
        self._left = MAX_NODES

    def fault(self, node: Node, message: str, path: KeyPath = ()) -> None:
        key = ".".join(str(part) for part in path)
        self.faults.append(Fault(message, key=key, file=self.file, line=node.start_mark.line + 1))

    def build(self, node: Node, path: KeyPath) -> Any:
        self._left -= 1
        if self._left < 0 or id(node) in self._open:
            # An alias that contains itself, or a few that multiply into millions.
            refuse([Fault("aliases (*name) make this larger than any configuration", file=self.file)])
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            if isinstance(node, SequenceNode):
                return self._sequence(node, path)
            return self._scalar(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: SequenceNode, path: KeyPath) -> list[Any]:
        result = []
        for index, item in enumerate(node.value):
            self.lines[(*path, index)] = item.start_mark.line + 1
            result.append(self.build(item, (*path, index)))
        return result

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first_lines: dict[Hashable, int] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            if not isinstance(key_node, ScalarNode) or key_node.tag != _TAG + "str":
                shown = key_node.value if isinstance(key_node, ScalarNode) else "this"
                self.fault(key_node, f"{shown!r} is not a text key; put it in quotes", path)
                continue
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key in first_lines:
                where = first_lines[key]
                self.fault(key_node, f"is given twice, first on line {where}; keep one", (*path, key))
                continue
            first_lines[key] = line
            self.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key))
        return self._with_merged(merged, result, path)

    def _with_merged(self, merged: list[Node], own: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        for source in merged:
            if not isinstance(source, MappingNode):
                self.fault(source, "<< takes a block of keys, such as *name", path)
                continue
            known = dict(self.lines)
            for key, value in self.build(source, path).items():
                own.setdefault(key, value)
            # Lines of the keys written here win over those of the block that is merged in.
            self.lines.update(known)
        return own

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        try:
            if kind == "str":
                return text
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() in _TRUE
            if kind == "int":
                return int(text.replace("_", ""))
            if kind == "float":
                number = float(text.replace("_", ""))
                if math.isfinite(number):
                    return number
        except ValueError:
            self.fault(node, f"{text[:40]!r} is not a number that can be read", path)
            return None
        self.fault(node, f"{text[:40]!r} is not plain text, number, true/false or null ({node.tag})", path)
        return None


def read_document(file: Path) -> Document:
    """The data of a YAML file with its lines; what is wrong inside it is in ``faults``.

    :raises ConfigurationError: when the file is missing, unreadable or not YAML.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        refuse([Fault(f"cannot be read: {error.strerror}", file=file)])
    except UnicodeDecodeError as error:
        refuse([Fault(f"is not UTF-8 text (byte {error.start}); save it as UTF-8", file=file)])
    builder = _Builder(file)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        values = {} if root is None else builder.build(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        refuse([Fault(f"is not YAML: {error.problem or error.context}", file=file, line=line)])
    except (yaml.YAMLError, RecursionError) as error:
        refuse([Fault(f"is not YAML: {str(error).splitlines()[0]}", file=file)])
    if values is None:
        values = {}
    if not isinstance(values, dict):
        refuse([Fault("has no sections; write 'section:' lines with keys below", file=file, line=1)])
    return Document(file=file, values=values, lines=builder.lines, faults=builder.faults)
