"""Alerts: a person is told when a run finds something newly wrong with a group.

The log has the alert at once. Mail and webhook can fail, so each is a task of its own that is tried again. A
fault that lasts is told once; it is told anew when it had gone and comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from logging import getLogger
from smtplib import SMTPException
from urllib.parse import urlsplit
from uuid import UUID

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Q

from catalog.access import Role
from ingestion.faults import Fault, faults_of, new_faults
from ingestion.models import IngestionRun, RunState

WEBHOOK_SECONDS = (5.0, 10.0)  # to connect, and to wait for the answer
_TRY_AGAIN = frozenset({408, 425, 429})

log = getLogger("featurestore.alerts")


class Channel(StrEnum):
    MAIL = "mail"
    WEBHOOK = "webhook"


class AlertNotDelivered(Exception):
    """``heals`` says whether trying again may help. The message never holds the webhook's address or a password."""

    def __init__(self, message: str, *, heals: bool) -> None:
        super().__init__(message)
        self.heals = heals


@dataclass(frozen=True)
class Alert:
    """What a run found newly wrong (``new``, never empty) and what was wrong before and still is (``standing``)."""

    group: str
    run_id: UUID
    kind: str
    state: str
    at: datetime
    new: tuple[Fault, ...]
    standing: tuple[Fault, ...]

    @property
    def title(self) -> str:
        first = self.new[0].message
        more = f" (and {len(self.new) - 1} more)" if len(self.new) > 1 else ""
        return " ".join(f"{self.group}: {first}{more}".split())[:200]

    def text(self) -> str:
        lines = [f"Feature group {self.group}, {self.kind} {self.run_id} ({self.state}), {self.at:%Y-%m-%d %H:%M} UTC"]
        lines += ["", "New:", *(f"- {fault.message}" for fault in self.new)]
        if self.standing:
            lines += ["", "Known before:", *(f"- {fault.message}" for fault in self.standing)]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, object]:
        return {
            "event": "feature_store.alert",
            "title": self.title,
            "group": self.group,
            "run": str(self.run_id),
            "kind": self.kind,
            "state": self.state,
            "at": self.at.isoformat(),
            "new": [_as_json(fault) for fault in self.new],
            "standing": [_as_json(fault) for fault in self.standing],
        }


def _as_json(fault: Fault) -> dict[str, str | None]:
    return {
        "code": fault.code,
        "feature": fault.feature or None,
        "rule": fault.rule or None,
        "message": fault.message,
    }


def alert_of(run: IngestionRun) -> Alert | None:
    """The alert for an ended run; None when it found nothing newly wrong."""
    new = new_faults(run)
    if not new or run.finished_at is None:
        return None
    told = {fault.identity for fault in new}
    return Alert(
        group=run.group.name,
        run_id=run.pk,
        kind=run.get_kind_display(),
        state=run.state,
        at=run.finished_at,
        new=tuple(new),
        standing=tuple(fault for fault in faults_of(run) if fault.identity not in told),
    )


def raise_alert(run: IngestionRun, *, send: Callable[[UUID, Channel], None]) -> Alert | None:
    """Log the alert of an ended run, and hand it to ``send`` for each other channel that is configured."""
    configured = settings.FEATURESTORE.validation.alerts
    if not configured.enabled:
        return None
    alert = alert_of(run)
    if alert is None:
        return None
    if configured.log_alerts:
        level = log.error if alert.state == RunState.FAILED else log.warning
        level("%s", alert.text().rstrip())
    if configured.email_notifications:
        send(run.pk, Channel.MAIL)
    if configured.webhook is not None:
        send(run.pk, Channel.WEBHOOK)
    return alert


def deliver(run: IngestionRun, channel: Channel) -> bool:
    """Send the run's alert by mail or to the webhook; False when there is none or the channel was turned off.

    :raises AlertNotDelivered: when it could not be sent.
    """
    configured = settings.FEATURESTORE.validation.alerts
    alert = alert_of(run)
    if alert is None or not configured.enabled:
        return False
    if channel is Channel.MAIL:
        return configured.email_notifications and _mail(alert)
    return configured.webhook is not None and _post(alert, configured.webhook)


def _mail(alert: Alert) -> bool:
    recipients = list(settings.FEATURESTORE.validation.alerts.email_to) or _administrators()
    if not recipients:
        raise AlertNotDelivered(
            "nobody to mail to: validation.alerts.email_to is empty and no administrator has an address", heals=False
        )
    message = EmailMessage(subject=f"[feature store] {alert.title}", body=alert.text(), to=recipients)
    try:
        return bool(message.send())
    except (SMTPException, OSError) as error:
        raise AlertNotDelivered(f"the mail server did not take it ({type(error).__name__})", heals=True) from None


def _administrators() -> list[str]:
    users = get_user_model().objects.filter(is_active=True).exclude(email="")
    wanted = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR.value)
    return sorted(set(users.filter(wanted).values_list("email", flat=True)))


def _post(alert: Alert, address: str) -> bool:
    host = urlsplit(address).hostname
    try:
        # The alert goes where the configuration says and nowhere else.
        answer = requests.post(address, json=alert.as_json(), timeout=WEBHOOK_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise AlertNotDelivered(f"the webhook at {host} does not answer ({type(error).__name__})", heals=True) from None
    if 200 <= answer.status_code < 300:
        return True
    heals = answer.status_code >= 500 or answer.status_code in _TRY_AGAIN
    raise AlertNotDelivered(f"the webhook at {host} answered {answer.status_code}", heals=heals)
