"""Training datasets: the newest with filters, and one with everything that is pinned."""

from __future__ import annotations

import time
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.access import Capability, may
from catalog.errors import Conflict, InvalidInput
from catalog.lineage_figure import lineage_figure_of
from catalog.models import LineageNode, NodeKind
from catalog.views.access import page
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
    return render(
        request,
        "serving/dataset_list.html",
        {
            "page": Paginator(chosen.qs, PAGE_SIZE).get_page(request.GET.get("page")),
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
    node = LineageNode.objects.filter(kind=NodeKind.DATASET, name=node_name(found)).first()
    title = f"Lineage of {found.name}"
    base_url = request.build_absolute_uri("/").rstrip("/")
    snippets = snippets_of(found, base_url=base_url)
    return render(
        request,
        "serving/dataset.html",
        {
            "dataset": found,
            "pins": Pins.of(found.spec),
            "closed": closed,
            "is_whole": is_whole,
            "may_read": may_read,
            "may_archive": found.archived_at is None and may_archive(found, user=request.user),
            "use_snippet": snippets["use-dataset"],
            "remake_snippet": snippets["remake-dataset"],
            "lineage": None if node is None else lineage_figure_of(node, depth=DEPTH, title=title, user=request.user),
            "differences": (found.verification or {}).get("differences", [])[:_CELLS] if may_read else [],
        },
    )


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
        messages.success(request, f"Made again: identical, {report.row_count:,} rows.")
    else:
        messages.error(request, f"Made again: not the same, {report.differing_cells:,} cells differ.")
    return redirect("serving:dataset", dataset_id)


@require_POST
@page(Capability.READ_VALUES)
def archive(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Put the dataset away."""
    found = archive_dataset(find_dataset(dataset_id, user=request.user), user=request.user)
    messages.success(request, f"The training dataset {found.name} is archived.")
    return redirect("serving:dataset", dataset_id)
