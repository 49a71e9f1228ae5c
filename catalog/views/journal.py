"""Writing into the journal from the pages of features and groups, and closing incidents there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from catalog.access import Capability
from catalog.errors import NotFound
from catalog.journal import close_incident, write_entry
from catalog.models import Feature, FeatureGroup, JournalEntry
from catalog.views.access import page
from catalog.views.follows import address_of, feature_of
from catalog.views.groups import group_named
from catalog.wording import gettext as _


@require_POST
@page(Capability.WRITE_JOURNAL)
def write_on_feature(request: HttpRequest, name: str) -> HttpResponse:
    return _written(request, feature_of(request, name))


@require_POST
@page(Capability.WRITE_JOURNAL)
def write_on_group(request: HttpRequest, name: str) -> HttpResponse:
    return _written(request, group_named(name, user=request.user))


@require_POST
@page(Capability.WRITE_JOURNAL)
def close(request: HttpRequest, entry_id: int) -> HttpResponse:
    visible = JournalEntry.objects.visible_to(request.user).select_related("feature__group", "group")
    entry: JournalEntry | None = visible.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(_("the journal has no entry %(entry_id)s") % {"entry_id": entry_id})
    close_incident(entry=entry, closer=request.user)
    subject = entry.feature or entry.group
    assert subject is not None  # The database holds that an entry is about one of the two.
    return HttpResponseRedirect(f"{address_of(subject)}#journal")


def _written(request: HttpRequest, subject: Feature | FeatureGroup) -> HttpResponse:
    write_entry(
        subject=subject,
        text=request.POST.get("text", ""),
        kind=request.POST.get("kind", "note"),
        writer=request.user,
    )
    return HttpResponseRedirect(f"{address_of(subject)}#journal")
