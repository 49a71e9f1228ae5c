"""The button that loads the demo, and how far it is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.access import Capability
from catalog.errors import Conflict
from catalog.views.access import page
from ingestion.demo_loading import request_demo
from ingestion.models import DemoLoad
from ingestion.tasks import wake_demo


@require_POST
@page(Capability.ADMINISTER)
def load(request: HttpRequest) -> HttpResponse:
    try:
        request_demo(user=request.user, wake=wake_demo)
    except Conflict as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, _("The demo is asked for; it takes some minutes."))
    return redirect("catalog:home")


@never_cache
@require_safe
@page()
def progress(request: HttpRequest) -> HttpResponse:
    """The part of the home page that tells how far it is; when it is over, the page is loaded anew."""
    newest = DemoLoad.objects.first()
    answer = render(request, "ingestion/components/demo_progress.html", {"load": newest})
    if newest is None or not newest.is_open:
        answer["HX-Refresh"] = "true"
    return answer
