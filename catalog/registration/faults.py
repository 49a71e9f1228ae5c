"""The faults of a declaration, collected so that one run tells them all (pure: no Django)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog.errors import ConfigurationError


@dataclass
class Faults:
    """Faults found so far, each with the key of the configuration that it belongs to."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, key: str, message: str) -> None:
        if (key, message) not in self.found:
            self.found.append((key, message))

    def refuse(self) -> None:
        """:raises ConfigurationError: with every fault in its message and in ``details["faults"]``, if there is any."""
        if not self.found:
            return
        lines = [f"{key}: {message}" for key, message in self.found]
        head = "" if len(lines) == 1 else f"The declaration has {len(lines)} faults:\n"
        details = [{"key": key, "message": message} for key, message in self.found]
        raise ConfigurationError(head + "\n".join(lines), details={"faults": details})


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``; did you mean a, b?`` with the names most like ``name``, or nothing."""
    near = difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""
