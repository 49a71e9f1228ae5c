"""What is wrong with a configuration: every fault with its place, collected into one error (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import ConfigurationError

KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """``("features", "g", "features", 0, "type")`` as ``features.g.features[0].type``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Fault:
    """One fault: where (a file and line, or an environment variable), which key, what, and the way out."""

    message: str
    key: str = ""
    file: Path | None = None
    line: int | None = None
    variable: str | None = None

    def __str__(self) -> str:
        if self.variable is not None:
            place = f"environment {self.variable}"
        else:
            place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise one error that tells all ``faults``, in the order of the file; nothing when there is none.

    :raises ConfigurationError: with every fault in its message and in ``details["faults"]``.
    """
    ordered = sorted(set(faults), key=lambda fault: (fault.variable or "", fault.line or 0, fault.key))
    if not ordered:
        return
    lines = [str(fault) for fault in ordered]
    head = "" if len(lines) == 1 else f"The configuration has {len(lines)} faults:\n"
    details = [
        {
            "file": str(fault.file) if fault.file else None,
            "line": fault.line,
            "variable": fault.variable,
            "key": fault.key,
            "message": fault.message,
        }
        for fault in ordered
    ]
    raise ConfigurationError(head + "\n".join(lines), details={"faults": details})
