from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from catalog.models import AuditEvent, Feature, FeatureGroup
from featurestore_site.configuration import Configuration
from ingestion.models import Source
from ingestion.schedules import HOUSEKEEPING

PROJECT = Path(__file__).resolve().parents[2]
# The shipped configuration has three groups; each has a schedule.
SCHEDULES = 3 + len(HOUSEKEEPING)
ALL = 20 + SCHEDULES


def apply(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("apply", *arguments, stdout=out, no_color=True)
    except SystemExit as exit_:
        return out.getvalue(), int(exit_.code or 0)
    return out.getvalue(), 0


@pytest.mark.django_db
def test_a_plan_prints_the_difference_and_writes_nothing() -> None:
    text, code = apply("--plan")
    assert code == 2
    assert "  + customer_financial:balance_mean " in text
    assert text.endswith(f"Would be: {ALL} added.\n")
    assert not FeatureGroup.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_apply_does_what_the_plan_says_and_then_nothing() -> None:
    text, code = apply()
    assert code == 0
    assert text.endswith(f": {ALL} added.\n")
    assert Source.objects.get().reports_location == str(settings.FEATURESTORE.input_sources.step6_reports)
    assert Feature.objects.get(name="balance_mean").created_by == "manage.py apply"
    assert AuditEvent.objects.filter(object_type="periodictask").count() == SCHEDULES
    assert apply() == (f"Applied {settings.FEATURESTORE.file}: {ALL} unchanged.\n", 0)
    assert apply("--plan") == (f"Would be: {ALL} unchanged.\n", 0)


@pytest.mark.django_db
def test_a_change_is_shown_with_both_sides(configuration: Configuration) -> None:
    apply()
    groups = dict(configuration.features)
    group = groups.pop("customer_derived")
    groups["customer_financial"] = groups["customer_financial"].model_copy(update={"owner": "risk"})
    settings.FEATURESTORE = dataclasses.replace(configuration, features=groups, services={})
    text, code = apply("--plan")
    assert code == 2
    assert f"      owner: {configuration.features['customer_financial'].owner} → risk\n" in text
    assert "  - customer_derived " in text
    assert f"1 updated, {1 + len(group.value_features) + 2} deprecated" in text


@pytest.mark.django_db
def test_faults_are_told_without_a_traceback(configuration: Configuration) -> None:
    groups = dict(configuration.features)
    groups["again"] = groups["customer_financial"]
    settings.FEATURESTORE = dataclasses.replace(configuration, features=groups)
    with pytest.raises(CommandError, match="is also declared in customer_financial"):
        apply()
    assert not FeatureGroup.objects.exists()


@pytest.mark.django_db
def test_another_file_must_be_named_at_start(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is already in use"):
        apply("--config", str(tmp_path / "other.yaml"))
    assert apply("--config", str(settings.FEATURESTORE.file))[1] == 0


@pytest.mark.slow
def test_processes_that_apply_at_once_write_everything_once(tmp_path: Path) -> None:
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("FEATURESTORE_", "DATABASE_URL"))}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "featurestore_site.settings",
        "FEATURESTORE_DATA_DIR": str(tmp_path),
    }
    manage = [sys.executable, str(PROJECT / "manage.py")]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*manage, *arguments], env=environment, cwd=PROJECT, capture_output=True, text=True)

    assert run("migrate", "-v0").returncode == 0
    started = [
        subprocess.Popen([*manage, "apply"], env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=400)[0].splitlines()[-1].split(": ")[1] for process in started]
    assert sorted(answers) == [f"{ALL} added.", *[f"{ALL} unchanged."] * 2]
    script = (
        "from catalog.models import *; "
        "print(Feature.objects.count(), FeatureVersion.objects.count(), AuditEvent.objects.count())"
    )
    assert run("shell", "-v0", "-c", script).stdout.split() == ["13", "13", str(ALL + 13)]
