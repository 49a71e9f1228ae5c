"""The journal of features and groups: dated notes, and incidents that are open until somebody closes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from catalog.access import Capability, Reader, may
from catalog.actor import current_actor
from catalog.audit import record, snapshot
from catalog.clock import now
from catalog.errors import Conflict, InvalidInput, PermissionDenied
from catalog.models import EntryKind, Feature, FeatureGroup, JournalEntry
from catalog.models.subject import subject_fields
from catalog.wording import gettext as _

LONGEST_TEXT = 20_000
# Clocks of people and servers differ a little.
_CLOCKS_DIFFER = timedelta(minutes=5)


def write_entry(
    *,
    subject: Feature | FeatureGroup,
    text: str,
    writer: Reader,
    kind: str = EntryKind.NOTE,
    at: datetime | None = None,
) -> JournalEntry:
    """A new entry on ``subject``; ``text`` is Markdown, ``at`` the time that it is about, now by default.

    :raises PermissionDenied: for those without the capability write_journal.
    :raises InvalidInput: without a text, with one that is too long, with another kind, or of a time to come.
    """
    if not may(writer, Capability.WRITE_JOURNAL):
        raise PermissionDenied(_("this needs the capability %(value)s") % {"value": Capability.WRITE_JOURNAL.value})
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        raise InvalidInput(
            _("an entry has 1 to %(longest_text)s characters, and this one has %(count)s")
            % {"longest_text": f"{LONGEST_TEXT:,}", "count": f"{len(text):,}"},
            details={"fields": {"text": [f"1 to {LONGEST_TEXT} characters"]}},
        )
    if kind not in EntryKind.values:
        raise InvalidInput(
            _("an entry is a %(values)s, not %(kind)r") % {"values": " or an ".join(EntryKind.values), "kind": kind},
            details={"field": "kind"},
        )
    written = now()
    if at is not None and at > written + _CLOCKS_DIFFER:
        raise InvalidInput(_("an entry tells what was or is, and this time is still to come"), details={"field": "at"})
    actor = current_actor()
    with transaction.atomic():
        entry = JournalEntry(
            kind=kind,
            text=text,
            at=at or written,
            author=actor.name,
            user_id=actor.user_id,
            **subject_fields(subject),
        )
        entry.save()
        record(action="create", instance=entry, after=snapshot(entry))
    return entry


def close_incident(*, entry: JournalEntry, closer: Reader) -> JournalEntry:
    """Say that the incident is over. For the one who wrote it, and with the capability edit_catalog.

    :raises PermissionDenied: for others.
    :raises Conflict: when it is closed already, or no incident.
    """
    if not may_close(entry=entry, closer=closer):
        raise PermissionDenied(_("an incident is closed by who wrote it, or with the capability edit_catalog"))
    with transaction.atomic():
        locked: JournalEntry = JournalEntry.objects.select_for_update().get(pk=entry.pk)
        if not locked.is_open:
            is_incident = locked.kind == EntryKind.INCIDENT
            told = (
                _("entry %(id)s is closed already") if is_incident else _("entry %(id)s is a note and not an incident")
            )
            raise Conflict(told % {"id": locked.pk}, details={"id": locked.pk})
        before = snapshot(locked, ["closed_at", "closed_by"])
        locked.closed_at, locked.closed_by = max(now(), locked.at), current_actor().name
        locked.save(update_fields=["closed_at", "closed_by"])
        record(action="close", instance=locked, before=before, after=snapshot(locked, ["closed_at", "closed_by"]))
    return locked


def may_close(*, entry: JournalEntry, closer: Reader) -> bool:
    """Whether ``closer`` may close ``entry``, if it is open."""
    wrote = closer.is_authenticated and entry.user_id == closer.pk and may(closer, Capability.WRITE_JOURNAL)
    return wrote or may(closer, Capability.EDIT_CATALOG)
