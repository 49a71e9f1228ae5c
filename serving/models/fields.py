"""Column kinds that hold the same on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
UNKNOWN_US = -(2**63)  # stands for an unknown instant, so that it sorts first


def to_microseconds(instant: datetime) -> int:
    """Whole microseconds from 1970-01-01 UTC to ``instant``, exactly."""
    return (instant - EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """The instant ``count`` microseconds after 1970-01-01 UTC."""
    return EPOCH + timedelta(microseconds=count)


class InstantField(models.BigIntegerField):  # type: ignore[type-arg]  # takes no arguments at run time
    """An instant, kept as whole microseconds since 1970 UTC.

    The databases differ in how they store and compare times; 64-bit integers are compared and read the same way
    on all of them, which the newest-wins guard of the online store relies on.
    """

    def from_db_value(self, value: int | None, *_: object) -> datetime | None:
        return None if value is None or value == UNKNOWN_US else from_microseconds(value)

    def to_python(self, value: Any) -> Any:
        return from_microseconds(value) if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> Any:
        return to_microseconds(value) if isinstance(value, datetime) else super().get_prep_value(value)


class DocumentField(models.TextField):  # type: ignore[type-arg]  # takes no arguments at run time
    """A JSON object, kept as the text that it was written as.

    A database's own kind for JSON turns numbers into its own (PostgreSQL's writes 1e16 as an integer and forgets the
    sign of -0.0) and reads the text each time to do so; nothing asks the database what is inside.
    """

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else orjson.loads(value)

    def to_python(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


class EntityKeyField(models.CharField):  # type: ignore[type-arg]  # the class takes no arguments at run time
    """An entity key: compared byte by byte on every database.

    MySQL and MariaDB compare text without regard to case, accents or trailing blanks, so there it is bytes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "mysql":
            return f"varbinary({4 * (self.max_length or 255)})"
        return super().db_type(connection)

    def from_db_value(self, value: Any, *_: object) -> Any:
        return value.decode() if isinstance(value, bytes) else value

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return value.encode() if connection.vendor == "mysql" and isinstance(value, str) else value
