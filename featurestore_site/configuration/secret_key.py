"""The signing key of a laptop run: made once, kept in the data folder (pure: no Django)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from catalog.errors import ConfigurationError


def kept_secret_key(file: Path) -> str:
    """The key in ``file``, made with mode 0600 when there is none; processes that race get the same key.

    :raises ConfigurationError: when it can be neither read nor made.
    """
    try:
        if not file.exists():
            _make(file)
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"No secret key can be kept in {file} ({error}); set FEATURESTORE_SECRET_KEY or "
            "FEATURESTORE_SECRET_KEY_FILE."
        ) from error
    if not key:
        raise ConfigurationError(f"{file} is empty; delete it, or set FEATURESTORE_SECRET_KEY.")
    return key


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_urlsafe(50) + "\n")
        try:
            # A link appears whole and only once, so nobody reads half a key or replaces another's.
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
