"""Training datasets: the newest with filters, and one with everything that is pinned."""

from __future__ import annotations

import time
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog.access import Capability, Reader, may
from catalog.errors import Conflict, InvalidInput
from catalog.lineage_map.gathering import gather
from catalog.lineage_map.picture import Picture, draw
from catalog.lineage_map.question import DEFAULT_DOWN, DEFAULT_UP, LineageQuestion
from catalog.models import NodeKind
from catalog.twins import list_twin
from catalog.views.access import page
from catalog.wording import gettext as _
from serving.dataset_filters import DatasetFilter
from serving.datasets.archiving import archive_dataset, may_archive
from serving.datasets.describing import DEPTH, snippets_of
from serving.datasets.lineage import node_name
from serving.datasets.opening import (
    closed_columns,
    find_dataset,
    read_features,
    refuse_closed,
    refuse_without_values,
)
from serving.datasets.pins import Pins
from serving.datasets.verifying import verify_dataset
from serving.models import DatasetState, TrainingDataset
from serving.page_reads import record_page_read

PAGE_SIZE, _CELLS = 30, 20


@require_safe
@page()
def dataset_list(request: HttpRequest) -> HttpResponse:
    visible = TrainingDataset.objects.visible_to(request.user).defer("verification", "columns")
    chosen = DatasetFilter(request.GET, queryset=visible.order_by("-created_at", "-id"))
    if not chosen.is_valid():
        raise InvalidInput("; ".join(f"{name}: {' '.join(texts)}" for name, texts in chosen.errors.items()))
    shown = Paginator(chosen.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "serving/dataset_list.html",
        {
            "page": shown,
            "json_url": list_twin(
                "dataset-list", shown, parameters=request.GET, kept=tuple(DatasetFilter.base_filters)
            ),
            "q": request.GET.get("q", ""),
            "state": request.GET.get("state", ""),
            "states": DatasetState.choices,
            "archived": request.GET.get("archived", ""),
            "is_filtered": any(request.GET.get(name) for name in ("q", "state", "created_by", "archived")),
        },
    )


@require_safe
@page()
def dataset(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    found = find_dataset(dataset_id, user=request.user)
    try:
        closed = closed_columns(found, user=request.user)
    except Conflict:
        closed = []
    may_read = may(request.user, Capability.READ_VALUES) and not closed
    is_whole = found.state == DatasetState.SUCCEEDED and found.archived_at is None
    base_url = request.build_absolute_uri("/").rstrip("/")
    snippets = snippets_of(found, base_url=base_url)
    return render(
        request,
        "serving/dataset.html",
        {
            "dataset": found,
            "json_url": reverse("dataset-detail", args=[found.pk]),
            "pins": Pins.of(found.spec),
            "closed": closed,
            "is_whole": is_whole,
            "may_read": may_read,
            "may_archive": found.archived_at is None and may_archive(found, user=request.user),
            "use_snippet": snippets["use-dataset"],
            "remake_snippet": snippets["remake-dataset"],
            "lineage": _lineage(found, user=request.user),
            "lineage_href": f"{reverse('catalog:lineage')}?{_question(found).query(up=DEFAULT_UP, down=DEFAULT_DOWN)}",
            "differences": (found.verification or {}).get("differences", [])[:_CELLS] if may_read else [],
        },
    )


def _lineage(found: TrainingDataset, *, user: Reader) -> Picture | None:
    """What it is made from and who uses it, as the lineage page draws it; None before it is recorded."""
    question = _question(found)
    return draw(gather(question, user=user), question, here=False)


def _question(found: TrainingDataset) -> LineageQuestion:
    return LineageQuestion(node=f"{NodeKind.DATASET.value}:{node_name(found)}", up=DEPTH, down=DEPTH)


@require_POST
@page(Capability.READ_VALUES)
def verify(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Make the dataset again and say on its page whether it is the same."""
    began = time.perf_counter()
    found = find_dataset(dataset_id, user=request.user)
    refuse_without_values(found)
    refuse_closed(found, user=request.user)
    report = verify_dataset(found)
    record_page_read(read_features(found), entities=report.row_count, began=began)
    if report.identical:
        messages.success(request, _("Made again: identical, %(count)s rows.") % {"count": f"{report.row_count:,}"})
    else:
        messages.error(
            request, _("Made again: not the same, %(count)s cells differ.") % {"count": f"{report.differing_cells:,}"}
        )
    return redirect("serving:dataset", dataset_id)


@require_POST
@page(Capability.READ_VALUES)
def archive(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Put the dataset away."""
    found = archive_dataset(find_dataset(dataset_id, user=request.user), user=request.user)
    messages.success(request, _("The training dataset %s is archived.") % found.name)
    return redirect("serving:dataset", dataset_id)
