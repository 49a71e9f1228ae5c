"""The kinds of value that a setting can have, beyond plain text and numbers (pure: no Django)."""

from __future__ import annotations

import logging
import re
import zoneinfo
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from celery.schedules import ParseException, crontab
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from catalog.declarations import checked_name

MEMORY = re.compile(r"[1-9]\d*(\.\d+)? ?([KMGT]i?B)")
HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Section(BaseModel):
    """A part of the configuration: no other key than its own, no other type than it says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def located(text: str, base: Path) -> Path:
    """A path of the configuration as an absolute one; ``base`` is the folder it is relative to."""
    return Path(base, Path(text).expanduser()).absolute().resolve()


def _path(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Path):
        return value.absolute()
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"{value!r} is not a path")
    if "://" in value:
        raise ValueError(f"{value!r} is an address; here only a path is possible")
    return located(value, _base(info))


def _place(value: str, info: ValidationInfo) -> str:
    if not value.strip():
        raise ValueError("is empty; write a path or an address such as s3://bucket/folder")
    return value if "://" in value else str(located(value, _base(info)))


def _base(info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    return base if isinstance(base, Path) else Path.cwd()


def _online_store(value: str) -> str:
    if value == "database" or urlsplit(value).scheme in {"redis", "rediss", "unix"}:
        return value
    # The value is not shown: an address from the environment may hold a password.
    raise ValueError("is not an online store; write database or redis://host:6379/0")


def _cron(value: str) -> str:
    fields = value.split()
    try:
        if len(fields) != 5:
            raise ValueError
        minute, hour, day_of_month, month_of_year, day_of_week = fields
        crontab(
            minute=minute,
            hour=hour,
            day_of_month=day_of_month,
            month_of_year=month_of_year,
            day_of_week=day_of_week,
        )
    except (ValueError, KeyError, ParseException) as error:
        raise ValueError(
            f"{value!r} is not a cron schedule; write minute hour day month weekday, such as '0 */6 * * *'"
        ) from error
    return value


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not a time zone; write one such as UTC or Europe/Paris") from error
    return value


def _memory(value: str) -> str:
    if not MEMORY.fullmatch(value):
        raise ValueError(f"{value!r} is not an amount of memory; write one such as 512MB or 2GB")
    return value


def _header(value: str) -> str:
    if not HEADER.fullmatch(value):
        raise ValueError(f"{value!r} is not a header name; write one such as X-API-Key")
    return value


def _log_format(value: str) -> str:
    try:
        logging.Formatter(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a log format: {error}") from error
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("is not a web address; write one such as https://example.org/hook")
    return value


def _broker(value: str) -> str:
    if not urlsplit(value).scheme or "://" not in value:
        raise ValueError("is not a broker address; write one such as redis://host:6379/1 or amqp://host//")
    return value


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if value != "*" and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path):
        raise ValueError(f"{value!r} is not an origin; write one such as https://app.example.org, or '*'")
    return value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def check_cron(value: str) -> None:
    """:raises ValueError: when ``value`` is not five cron fields."""
    _cron(value)


def check_timezone(value: str) -> None:
    """:raises ValueError: when ``value`` names no time zone."""
    _timezone(value)


Location = Annotated[Path, BeforeValidator(_path)]
Place = Annotated[str, AfterValidator(_place)]
OnlineStore = Annotated[str, AfterValidator(_online_store)]
Cron = Annotated[str, AfterValidator(_cron)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
Memory = Annotated[str, AfterValidator(_memory)]
Header = Annotated[str, AfterValidator(_header)]
LogFormat = Annotated[str, AfterValidator(_log_format)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
BrokerAddress = Annotated[str, AfterValidator(_broker)]
Origin = Annotated[str, AfterValidator(_origin)]
Key = Annotated[str, AfterValidator(checked_name)]
OneOrMore = BeforeValidator(_one_or_more)
