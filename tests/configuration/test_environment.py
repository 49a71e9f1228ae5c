"""What a deployment sets in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import ConfigurationError
from featurestore_site.configuration.database_address import DatabaseAddress, parse_database_url
from featurestore_site.configuration.mail_address import MailAddress, parse_mail_url
from tests.configuration.conftest import Load


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqlite:////srv/store.db", DatabaseAddress("sqlite", "/srv/store.db")),
        (
            "postgres://me:p%40ss@db:5433/store?sslmode=require",
            DatabaseAddress("postgresql", "store", "me", "p@ss", "db", 5433, (("sslmode", "require"),)),
        ),
        ("postgresql:///store", DatabaseAddress("postgresql", "store")),
        ("mysql://me:pw@db/store", DatabaseAddress("mysql", "store", "me", "pw", "db")),
        ("postgres://me@%2Fvar%2Frun/store", DatabaseAddress("postgresql", "store", "me", host="/var/run")),
    ],
)
def test_database_addresses(url: str, address: DatabaseAddress) -> None:
    assert parse_database_url(url) == address


@pytest.mark.parametrize(
    "url", ["", "nothing", "oracle://h/d", "postgres://h", "sqlite://", "sqlite:///:memory:", "mysql://h:x/d"]
)
def test_what_is_no_database_address(url: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_database_url(url)


def test_a_relative_sqlite_address_starts_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_database_url("sqlite:///store.db").name == str(tmp_path / "store.db")


def test_the_data_folder_moves_all_that_has_no_place_of_its_own(load: Load, tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    configuration = load("feature_store: {cache_path: here}", {"FEATURESTORE_DATA_DIR": str(data)})
    assert configuration.data_dir == data
    assert configuration.database.name == str(data / "feature_store.db")
    assert configuration.offline_path == str(data / "offline")
    assert configuration.broker_dir == data / "broker"
    assert configuration.input_sources.step6_reports == data / "demo/reports"
    assert configuration.feature_store.cache_path == tmp_path / "here"


def test_the_environment_goes_before_the_file(load: Load, tmp_path: Path) -> None:
    configuration = load(
        "feature_store: {offline_path: a}\ningestion: {broker_url: 'redis://file/0'}",
        {
            "FEATURESTORE_OFFLINE_PATH": "s3://bucket/offline",
            "FEATURESTORE_ONLINE_STORE": "redis://:pw@host/0",
            "CELERY_BROKER_URL": "amqp://me:pw@host//",
            "FEATURESTORE_WAREHOUSE": str(tmp_path / "w.db"),
            "FEATURESTORE_REPORTS_IN": str(tmp_path / "r"),
            "DATABASE_URL": f"sqlite:///{tmp_path}/own.db",
        },
    )
    assert configuration.offline_path == "s3://bucket/offline"
    assert configuration.feature_store.online_store == "redis://:pw@host/0"
    assert configuration.broker_url == "amqp://me:pw@host//"
    assert configuration.sources["warehouse"].path == tmp_path / "w.db"
    assert configuration.input_sources.step6_reports == tmp_path / "r"
    assert configuration.feature_store.database_path == tmp_path / "own.db"


def test_a_wrong_variable_is_named(load: Load) -> None:
    with pytest.raises(ConfigurationError, match="environment FEATURESTORE_ONLINE_STORE: feature_store.online_store"):
        load("", {"FEATURESTORE_ONLINE_STORE": "memcached://host"})


def test_a_secret_may_stand_in_a_file(load: Load, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n", encoding="utf-8")
    assert load("", {"FEATURESTORE_SECRET_KEY_FILE": str(secret)}).secret_key == "from a file"


def test_a_secret_in_both_places_is_refused(load: Load, tmp_path: Path) -> None:
    environ = {"FEATURESTORE_SECRET_KEY": "a", "FEATURESTORE_SECRET_KEY_FILE": str(tmp_path / "secret")}
    with pytest.raises(ConfigurationError, match="FEATURESTORE_SECRET_KEY_FILE too; keep one"):
        load("", environ)


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("\n", "is empty"), ("\udcff", "UTF-8")])
def test_a_secret_file_without_a_secret_is_refused(
    load: Load, tmp_path: Path, content: str | None, message: str
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match=message):
        load("", {"DATABASE_URL_FILE": str(secret)})


def test_secrets_are_not_in_the_representation(load: Load) -> None:
    environ = {
        "FEATURESTORE_SECRET_KEY": "hunter2",
        "DATABASE_URL": "postgres://me:hunter2@db/store",
        "FEATURESTORE_EMAIL_URL": "smtp://me:hunter2@mail",
    }
    assert "hunter2" not in repr(load("", environ))


def test_hosts_flags_and_an_empty_variable(load: Load) -> None:
    environ = {"FEATURESTORE_ALLOWED_HOSTS": "a.example, .b.example", "FEATURESTORE_HTTPS": "Yes"}
    environment = load("", {**environ, "FEATURESTORE_DEBUG": "", "DATABASE_URL": " "}).environment
    assert environment.allowed_hosts == ("a.example", ".b.example")
    assert (environment.https, environment.debug, environment.database) == (True, False, None)


def test_a_misspelt_variable_is_a_warning(load: Load) -> None:
    assert load("", {"FEATURESTORE_DATADIR": "x"}).warnings == (
        "environment FEATURESTORE_DATADIR has no effect: it is unknown; "
        "the nearest known one is FEATURESTORE_DATA_DIR.",
    )


def test_mail_addresses() -> None:
    assert parse_mail_url("smtp://me%40x.org:pw@mail:2525") == MailAddress(
        host="mail", port=2525, user="me@x.org", password="pw", sender="me@x.org"
    )
    assert parse_mail_url("smtps://mail?from=a@b.org") == MailAddress(
        host="mail", port=465, implicit_tls=True, starttls=False, sender="a@b.org"
    )
    with pytest.raises(ValueError, match="write smtp://"):
        parse_mail_url("http://mail")
