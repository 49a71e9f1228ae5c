"""The addresses of the pages of serving."""

from __future__ import annotations

from django.urls import path

from serving import dataset_views
from serving.entity_lookup_views import entity_lookup
from serving.entity_views import entity_value
from serving.guide_views import api_guide
from serving.views import my_tokens, revoke_my_token

app_name = "serving"

urlpatterns = [
    path("datasets/", dataset_views.dataset_list, name="dataset-list"),
    path("datasets/<uuid:dataset_id>/", dataset_views.dataset, name="dataset"),
    path("datasets/<uuid:dataset_id>/verify", dataset_views.verify, name="verify-dataset"),
    path("datasets/<uuid:dataset_id>/archive", dataset_views.archive, name="archive-dataset"),
    path("api-guide/", api_guide, name="api-guide"),
    path("entities/", entity_lookup, name="entity-lookup"),
    path("entities/<str:name>/", entity_lookup, name="entity-lookup-of"),
    path("features/<str:name>/entity/", entity_value, name="entity-value"),
    path("me/tokens/", my_tokens, name="my-tokens"),
    path("me/tokens/<int:token_id>/revoke", revoke_my_token, name="revoke-my-token"),
]
