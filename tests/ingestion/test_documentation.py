from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command

from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.models import FeatureProfile, FeatureVersion
from featurestore_site.configuration import Configuration
from ingestion.documentation import gather, write_documentation, write_reports
from ingestion.documentation.files import write_whole
from tests.stocked_store import make_feature, make_group, make_service

pytestmark = pytest.mark.django_db

FORMATS = ("markdown", "html", "json")


def measured(version: FeatureVersion, **statistics: Any) -> FeatureVersion:
    given: dict[str, Any] = {"row_count": 10_000, "null_count": 0, "completeness": 1.0, "validity": 0.9643}
    profile = FeatureProfile.objects.create(version=version, computed_at=now(), run_id="a", **{**given, **statistics})
    version.latest_profile = profile
    version.save()
    return version


@pytest.fixture
def catalog() -> None:
    group = make_group("facts", description="Facts <b>of</b> customers | daily")
    balance = make_feature(group, "balance_mean", source_column="balance_mean", validation={"max_value": 10.0})
    measured(balance, min_value=0.0, max_value=250898.09, mean_value=76485.889288)
    make_service("churn_model", balance)
    make_feature(group, "balance_sum", source_problem="source table facts has no column balance_sum")
    measured(make_feature(group, "income", sensitivity="personal"), min_value=1234.5, max_value=987654.0)


@pytest.mark.usefixtures("catalog")
def test_every_format_says_the_same_facts(tmp_path: Path) -> None:
    markdown, html, as_json = write_documentation(tmp_path, FORMATS)
    assert [path.name for path in (markdown, html, as_json)] == [
        "feature_documentation.md",
        "feature_documentation.html",
        "feature_documentation.json",
    ]
    for text in (markdown.read_text(), html.read_text()):
        assert "3 features in 1 groups" in text
        assert "250,898.09" in text
        assert "96.43 %" in text
    assert "has no column balance\\_sum" in markdown.read_text()
    assert "<b>of</b>" not in html.read_text()
    assert "&lt;b&gt;of&lt;/b&gt;" in html.read_text()
    told = {feature["name"]: feature for feature in json.loads(as_json.read_text())["groups"][0]["features"]}
    assert told["balance_mean"]["statistics"]["max_value"] == 250898.09
    assert told["balance_mean"]["feature_id"] == "customer_balance_mean_v1"
    assert told["balance_mean"]["services"] == ["churn_model"]
    assert told["balance_sum"]["source_problem"] == "source table facts has no column balance_sum"


@pytest.mark.usefixtures("catalog")
def test_the_page_asks_no_other_host(tmp_path: Path) -> None:
    (html,) = write_documentation(tmp_path, ["html"])
    assert "http://" not in html.read_text()
    assert "https://" not in html.read_text()


@pytest.mark.usefixtures("catalog")
def test_files_for_everybody_hold_no_values_of_personal_features(tmp_path: Path) -> None:
    for path in write_reports(directory=tmp_path):
        content = path.read_bytes()
        assert b"987654" not in content
        assert b"987,654" not in content
        assert b"income" in content


@pytest.mark.usefixtures("catalog")
def test_a_stranger_is_told_nothing(tmp_path: Path) -> None:
    (path,) = write_documentation(tmp_path, ["json"], AnonymousUser())
    assert json.loads(path.read_text())["groups"] == []


def test_an_empty_catalog_says_so(tmp_path: Path) -> None:
    markdown, html, _ = write_documentation(tmp_path, FORMATS)
    assert "0 features in 0 groups" in markdown.read_text()
    assert "No feature group is registered yet" in html.read_text()


def test_a_format_of_another_name_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="pdf is no format"):
        write_documentation(tmp_path / "docs", ["markdown", "pdf"])
    assert not (tmp_path / "docs").exists()


@pytest.mark.usefixtures("catalog")
def test_the_command_writes_what_the_configuration_asks_for(configuration: Configuration) -> None:
    out = StringIO()
    call_command("report", stdout=out)
    folder = configuration.output.reports_dir
    assert {path.name for path in folder.iterdir()} >= {"feature_catalog.json", "feature_schemas.json"}
    assert configuration.feature_store.metadata_path.is_file()
    assert "files written." in out.getvalue()
    (schema,) = [
        feature
        for feature in json.loads((folder / "feature_schemas.json").read_text())["facts"]["features"]
        if feature["name"] == "balance_mean"
    ]
    assert (schema["column"], schema["arrow_type"]) == ("balance_mean_v1", "double")


@pytest.mark.usefixtures("catalog")
def test_exports_in_every_format_agree(configuration: Configuration, tmp_path: Path, settings: Any) -> None:
    output = configuration.output.model_copy(update={"export_formats": ("json", "csv", "parquet")})
    object.__setattr__(configuration, "output", output)
    write_reports(directory=tmp_path / "out", formats=[])
    rows = json.loads((tmp_path / "out" / "feature_catalog.json").read_text())
    table = pq.read_table(tmp_path / "out" / "feature_catalog.parquet").to_pylist()
    with (tmp_path / "out" / "feature_catalog.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [row["name"] for row in table] == [line["name"] for line in lines]
    assert rows[0]["mean_value"] == table[0]["mean_value"] == float(lines[0]["mean_value"]) == 76485.889288


def test_the_number_of_queries_does_not_grow_with_the_features(django_assert_max_num_queries: Any) -> None:
    group = make_group("facts")
    for number in range(25):
        measured(make_feature(group, f"f{number}"))
    with django_assert_max_num_queries(8):
        assert len(gather().features) == 25


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_whole(tmp_path / "a.txt", b"old")
    monkeypatch.setattr(Path, "replace", _no_space)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def _no_space(self: Path, target: Path) -> Path:
    raise OSError("no space")
