"""What a deployment sets in the environment: places, secrets, and how the site is reached (pure).

A secret can also stand in a file that ``<NAME>_FILE`` names, as container platforms mount them.
An empty variable counts as not set.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from featurestore_site.configuration.database_address import DatabaseAddress, parse_database_url
from featurestore_site.configuration.faults import Fault
from featurestore_site.configuration.mail_address import MailAddress, parse_mail_url

SECRETS = (
    "FEATURESTORE_SECRET_KEY",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "FEATURESTORE_ONLINE_STORE",
    "FEATURESTORE_ALERT_WEBHOOK",
    "FEATURESTORE_EMAIL_URL",
)

# Variables that stand in for a key of the file.
OVERRIDES: dict[str, tuple[str, ...]] = {
    "FEATURESTORE_OFFLINE_PATH": ("feature_store", "offline_path"),
    "FEATURESTORE_ONLINE_STORE": ("feature_store", "online_store"),
    "CELERY_BROKER_URL": ("ingestion", "broker_url"),
    "FEATURESTORE_WAREHOUSE": ("input_sources", "step6_datawarehouse"),
    "FEATURESTORE_REPORTS_IN": ("input_sources", "step6_reports"),
    "FEATURESTORE_REPORTS_DIR": ("output", "reports_dir"),
    "FEATURESTORE_LOGS_DIR": ("output", "logs_dir"),
    "FEATURESTORE_ALERT_WEBHOOK": ("validation", "alerts", "webhook"),
}

_PLACES = frozenset(
    {
        "FEATURESTORE_OFFLINE_PATH",
        "FEATURESTORE_WAREHOUSE",
        "FEATURESTORE_REPORTS_IN",
        "FEATURESTORE_REPORTS_DIR",
        "FEATURESTORE_LOGS_DIR",
    }
)

VARIABLES = (
    "FEATURESTORE_CONFIG",
    "FEATURESTORE_DATA_DIR",
    "FEATURESTORE_DEBUG",
    "FEATURESTORE_HTTPS",
    "FEATURESTORE_BEHIND_PROXY",
    "FEATURESTORE_ALLOWED_HOSTS",
    *SECRETS,
    *(name for name in OVERRIDES if name not in SECRETS),
)

# Read by the SDK, not by the server.
_CLIENT = ("FEATURESTORE_URL", "FEATURESTORE_TOKEN", "FEATURESTORE_TOKEN_FILE")

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Environment:
    """The settings that only the environment gives."""

    debug: bool = False
    https: bool = False
    behind_proxy: bool = False
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    data_dir: Path | None = None
    database: DatabaseAddress | None = None
    secret_key: str | None = field(default=None, repr=False)
    mail: MailAddress | None = None
    overrides: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


def read_environment(environ: Mapping[str, str], faults: list[Fault]) -> Environment:
    """The environment as one object; what is wrong is appended to ``faults``."""
    set_values = {name: value for name, value in environ.items() if value.strip()}
    secrets = dict(_secrets(set_values, faults))
    database_url = secrets.get("DATABASE_URL")
    database = None
    if database_url is not None:
        try:
            database = parse_database_url(database_url)
        except ValueError as error:
            faults.append(Fault(str(error), variable="DATABASE_URL"))
    mail_url = secrets.get("FEATURESTORE_EMAIL_URL")
    mail = None
    if mail_url is not None:
        try:
            mail = parse_mail_url(mail_url)
        except ValueError as error:
            faults.append(Fault(str(error), variable="FEATURESTORE_EMAIL_URL"))
    hosts = set_values.get("FEATURESTORE_ALLOWED_HOSTS")
    data_dir = set_values.get("FEATURESTORE_DATA_DIR")
    overrides = {name: value for name in OVERRIDES if (value := secrets.get(name) or set_values.get(name)) is not None}
    return Environment(
        debug=_flag("FEATURESTORE_DEBUG", set_values, faults),
        https=_flag("FEATURESTORE_HTTPS", set_values, faults),
        behind_proxy=_flag("FEATURESTORE_BEHIND_PROXY", set_values, faults),
        allowed_hosts=LOCAL_HOSTS if hosts is None else _listed(hosts),
        data_dir=None if data_dir is None else _here(data_dir),
        database=database,
        secret_key=secrets.get("FEATURESTORE_SECRET_KEY"),
        mail=mail,
        overrides={name: _absolute(name, value) for name, value in overrides.items()},
        warnings=tuple(_misspelt(set_values)),
    )


def _secrets(environ: Mapping[str, str], faults: list[Fault]) -> Iterator[tuple[str, str]]:
    for name in SECRETS:
        file = environ.get(f"{name}_FILE")
        if file is None:
            if name in environ:
                yield name, environ[name].strip()
            continue
        if name in environ:
            faults.append(Fault(f"is set, and {name}_FILE too; keep one", variable=name))
            continue
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8 text"
            faults.append(Fault(f"{file} cannot be read: {reason}", variable=f"{name}_FILE"))
            continue
        if secret:
            yield name, secret
        else:
            faults.append(Fault(f"{file} is empty", variable=f"{name}_FILE"))


def _flag(name: str, environ: Mapping[str, str], faults: list[Fault]) -> bool:
    text = environ.get(name, "0").strip().lower()
    if text not in _TRUE | _FALSE:
        faults.append(Fault(f"is {text!r}; must be 1 or 0", variable=name))
    return text in _TRUE


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _here(text: str) -> Path:
    return Path(text).expanduser().absolute().resolve()


def _absolute(name: str, value: str) -> str:
    return str(_here(value)) if name in _PLACES and "://" not in value else value


def _misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    known = {*VARIABLES, *(f"{name}_FILE" for name in SECRETS), *_CLIENT}
    for name in sorted(environ):
        if name.startswith("FEATURESTORE_") and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
            if near:
                yield f"environment {name} has no effect: it is unknown; the nearest known one is {near[0]}."
