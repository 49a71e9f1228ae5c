"""The addresses of the pages of runs."""

from __future__ import annotations

from django.urls import path

from ingestion.views import demo
from ingestion.views.quality import quality
from ingestion.views.requests import request_again, request_group_run
from ingestion.views.run_comparison import run_compare
from ingestion.views.runs import run, run_list

app_name = "ingestion"

urlpatterns = [
    path("quality/", quality, name="quality"),
    path("demo/load", demo.load, name="load-demo"),
    path("demo/progress", demo.progress, name="demo-progress"),
    path("runs/", run_list, name="run-list"),
    path("runs/compare/", run_compare, name="run-compare"),
    path("runs/<uuid:run_id>/", run, name="run"),
    path("runs/<uuid:run_id>/again", request_again, name="run-again"),
    path("groups/<str:name>/runs", request_group_run, name="request-run"),
]
