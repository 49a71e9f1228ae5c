"""Alerts: what is told, once, and how it goes out."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Retry
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail

from catalog.clock import now
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from ingestion.alerts import AlertNotDelivered, Channel, deliver, raise_alert
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport
from ingestion.tasks import send_alert
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db

SHORT = {"feature": "balance", "rule": "completeness", "message": "balance: completeness is 0.5000"}
LACKS = {"code": "no_values", "feature": "total", "rule": None, "message": "there is no column total"}
Sent = list[tuple[UUID, Channel]]


@pytest.fixture
def group() -> FeatureGroup:
    return make_group("finance")


def alerting(configuration: Configuration, **changes: Any) -> None:
    alerts = configuration.validation.alerts.model_copy(update=changes)
    validation = configuration.validation.model_copy(update={"alerts": alerts})
    settings.FEATURESTORE = dataclasses.replace(configuration, validation=validation)


def ended(
    group: FeatureGroup,
    *,
    state: RunState = RunState.SUCCEEDED,
    kind: RunKind = RunKind.INGEST,
    ago: int = 0,
    shortfalls: tuple[dict[str, Any], ...] = (),
    problems: tuple[dict[str, Any], ...] = (),
    error: str = "",
) -> IngestionRun:
    at = now() - timedelta(minutes=ago)
    run = IngestionRun.objects.create(
        group=group, kind=kind, state=state, created_at=at, finished_at=at, problems=list(problems), error=error
    )
    if state == RunState.SUCCEEDED:
        ValidationReport.objects.create(
            run=run, group=group, created_at=at, passed=not shortfalls, row_count=1, shortfalls=list(shortfalls)
        )
    return run


def told(run: IngestionRun) -> list[str]:
    alert = raise_alert(run, send=lambda *_: None)
    return [] if alert is None else [fault.message for fault in alert.new]


def test_a_good_run_tells_nobody(group: FeatureGroup) -> None:
    assert told(ended(group)) == []


def test_a_lasting_fault_is_told_once_and_anew_when_it_comes_back(group: FeatureGroup) -> None:
    assert told(ended(group, ago=5, shortfalls=(SHORT,))) == [SHORT["message"]]
    changed = {**SHORT, "message": "balance: completeness is 0.4000"}
    assert told(ended(group, ago=4, shortfalls=(changed,), kind=RunKind.VALIDATE)) == []
    assert told(ended(group, ago=3)) == []
    assert told(ended(group, ago=2, shortfalls=(SHORT,))) == [SHORT["message"]]


def test_what_was_wrong_before_stands_beside_what_is_new(group: FeatureGroup) -> None:
    ended(group, ago=5, shortfalls=(SHORT,))
    other = {**SHORT, "rule": "validity", "message": "balance: validity is 0.1000"}
    alert = raise_alert(ended(group, shortfalls=(SHORT, other)), send=lambda *_: None)
    assert alert is not None
    assert [fault.rule for fault in alert.new] == ["validity"]
    assert [fault.rule for fault in alert.standing] == ["completeness"]


def test_a_failed_run_is_told_at_the_first_failure(group: FeatureGroup) -> None:
    ended(group, ago=5)
    assert told(ended(group, ago=4, state=RunState.FAILED, error="no table")) == ["the ingestion failed: no table"]
    assert told(ended(group, ago=3, state=RunState.FAILED, error="no table")) == []


def test_a_missing_column_is_told_once_whatever_fails_or_is_validated_between(group: FeatureGroup) -> None:
    ended(group, ago=9)
    assert told(ended(group, ago=8, problems=(LACKS,))) == ["total has no values: there is no column total"]
    ended(group, ago=7, state=RunState.FAILED)
    ended(group, ago=6, kind=RunKind.VALIDATE)
    assert told(ended(group, ago=5, problems=(LACKS,))) == []


def test_drift_is_told(group: FeatureGroup) -> None:
    version = make_feature(group, "balance")
    run = ended(group)
    report = ValidationReport.objects.get(run=run)
    RuleResult.objects.create(
        report=report,
        version=version,
        rule="drift",
        severity="warn",
        passed=False,
        checked=2,
        failed=0,
        message="moved",
    )
    RuleResult.objects.create(
        report=report,
        version=version,
        rule="outlier",
        severity="warn",
        passed=False,
        checked=2,
        failed=1,
        message="out",
    )
    assert told(run) == ["moved"]


def test_the_channels_are_those_of_the_configuration(
    group: FeatureGroup, configuration: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    run = ended(group, shortfalls=(SHORT,))
    sent: Sent = []

    def send(run_id: UUID, channel: Channel) -> None:
        sent.append((run_id, channel))

    with caplog.at_level(logging.INFO, logger="featurestore.alerts"):
        alerting(configuration, enabled=False, webhook="http://hook.example")
        assert raise_alert(run, send=send) is None
        alerting(configuration, log_alerts=False)
        raise_alert(run, send=send)
        assert (sent, caplog.records) == ([], [])
        alerting(configuration, email_notifications=True, webhook="http://hook.example")
        raise_alert(run, send=send)
    assert sent == [(run.pk, Channel.MAIL), (run.pk, Channel.WEBHOOK)]
    (logged,) = caplog.records
    assert logged.levelname == "WARNING"
    assert "balance: completeness is 0.5000" in logged.getMessage()


class TestMail:
    def test_it_goes_to_those_named(self, group: FeatureGroup, configuration: Configuration) -> None:
        alerting(configuration, email_notifications=True, email_to=("a@example.org", "b@example.org"))
        assert deliver(ended(group, shortfalls=(SHORT,)), Channel.MAIL)
        (message,) = mail.outbox
        assert message.to == ["a@example.org", "b@example.org"]
        assert message.subject == "[feature store] finance: balance: completeness is 0.5000"
        assert "- balance: completeness is 0.5000" in message.body

    def test_without_names_it_goes_to_the_administrators(
        self, group: FeatureGroup, configuration: Configuration
    ) -> None:
        alerting(configuration, email_notifications=True)
        run = ended(group, shortfalls=(SHORT,))
        with pytest.raises(AlertNotDelivered, match="nobody to mail to"):
            deliver(run, Channel.MAIL)
        User.objects.create_superuser("root", "root@example.org", "x")
        User.objects.create_user("ada", "ada@example.org", "x")
        assert deliver(run, Channel.MAIL)
        assert mail.outbox[0].to == ["root@example.org"]


class _Hook(BaseHTTPRequestHandler):
    status = 200
    bodies: list[Any] = []

    def do_POST(self) -> None:
        type(self).bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(type(self).status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[tuple[str, type[_Hook]]]:
    handler = type("Hook", (_Hook,), {"status": 200, "bodies": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret-path", handler
    server.shutdown()
    thread.join()
    server.server_close()


class TestWebhook:
    def test_it_gets_the_alert_as_json(
        self, group: FeatureGroup, configuration: Configuration, hook: tuple[str, type[_Hook]]
    ) -> None:
        alerting(configuration, webhook=hook[0])
        run = ended(group, shortfalls=(SHORT,), problems=(LACKS,))
        send_alert(str(run.pk), "webhook")
        (body,) = hook[1].bodies
        assert (body["event"], body["group"], body["run"]) == ("feature_store.alert", "finance", str(run.pk))
        assert body["new"][0] == {"code": "quality", **SHORT}
        assert (body["new"][1]["code"], body["standing"]) == ("no_values", [])

    @pytest.mark.parametrize("status", [302, 404])
    def test_a_refusal_is_given_up_and_no_redirect_is_followed(
        self,
        group: FeatureGroup,
        configuration: Configuration,
        hook: tuple[str, type[_Hook]],
        caplog: pytest.LogCaptureFixture,
        status: int,
    ) -> None:
        hook[1].status = status
        alerting(configuration, webhook=hook[0])
        send_alert(str(ended(group, shortfalls=(SHORT,)).pk), "webhook")
        assert len(hook[1].bodies) == 1
        assert f"answered {status}" in caplog.text
        assert "secret-path" not in caplog.text

    def test_a_failure_that_may_heal_is_tried_again(
        self, group: FeatureGroup, configuration: Configuration, hook: tuple[str, type[_Hook]]
    ) -> None:
        hook[1].status = 503
        alerting(configuration, webhook=hook[0])
        with pytest.raises(Retry) as retry:
            send_alert.apply(args=[str(ended(group, shortfalls=(SHORT,)).pk), "webhook"], throw=True, retries=2)
        assert retry.value.when == 80

    def test_nobody_there_heals_and_tells_no_secret(self, group: FeatureGroup, configuration: Configuration) -> None:
        alerting(configuration, webhook="http://127.0.0.1:9/secret-path")
        with pytest.raises(AlertNotDelivered, match="does not answer") as error:
            deliver(ended(group, shortfalls=(SHORT,)), Channel.WEBHOOK)
        assert error.value.heals
        assert "secret" not in str(error.value)
