"""What the OpenAPI description says beyond the views: how callers identify themselves, and the errors of every call."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from featurestore_site.error_shape import OTHER_CALLS

PREFIX = "/api/v1/"
_METHODS = ("get", "post", "put", "patch", "delete")
_ERROR = {"$ref": "#/components/schemas/Error"}
_FEAST_ERROR = {"$ref": "#/components/schemas/FeastError"}
_ALWAYS = {
    "400": "What was sent cannot be understood or is not allowed.",
    "401": "No valid token.",
    "403": "The role of the caller, or the scope of the token, does not allow it.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "A part that this call needs does not answer now.",
}
_WITH_NAME = {"404": "There is nothing of this name; details has the nearest names."}
_WITH_PAGES = {"404": "There is no such page."}
_WITH_BODY = {
    "404": "Something that the body names is not there; details has the nearest names.",
    "413": "The body is larger than this call takes.",
    "415": "The body is of a media type that this call does not take.",
}
_MODIFYING = {"409": "The present state does not allow it."}
# First part of the path to topic.
_TOPICS = {
    "features": "values",
    "entities": "values",
    "get-online-features": "values",
    "datasets": "datasets",
    "metadata": "catalog",
    "refresh": "runs",
    "validate": "runs",
    "runs": "runs",
    "reports": "runs",
    "quarantine": "runs",
    "quality": "runs",
    "health": "store",
    "home": "store",
    "stats": "store",
}
_TOPIC_TEXTS = {
    "values": "Feature values, for serving and for training.",
    "datasets": "Training datasets: asked for, followed, downloaded, verified.",
    "catalog": "What exists: features, groups, services, entities, tags, lineage.",
    "runs": "Ingestion and validation: started, followed, and what they found.",
    "store": "How the store stands.",
}
_READING_POSTS = ("features_batch", "features_historical", "feast_get_online_features", "verify_dataset")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry is untyped
    """``Authorization: Bearer <key>``."""

    target_class = "serving.authentication.BearerAuthentication"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002  (the framework's signature)
        return {"type": "http", "scheme": "bearer"}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry is untyped
    """``Authorization: Token <key>``."""

    target_class = "serving.authentication.TokenAuthentication"
    name = "Token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002  (the framework's signature)
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word Token, a space, and the key: `Token fs_…`.",
        }


def only_the_api(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """The calls of this version of the API, without the description itself, and those at addresses of others."""
    return [entry for entry in endpoints if entry[0].startswith(PREFIX) or entry[0] in OTHER_CALLS]


def add_errors(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Every call with its topic and the errors it can answer, all of one shape."""
    result["components"]["schemas"].setdefault(
        "Error",
        {
            "type": "object",
            "description": "The one shape of every error.",
            "properties": {
                "error": {
                    "type": "object",
                    "properties": {
                        "code": {"type": "string", "example": "unknown_feature"},
                        "message": {"type": "string"},
                        "details": {"type": "object", "additionalProperties": {}},
                    },
                    "required": ["code", "message", "details"],
                }
            },
            "required": ["error"],
        },
    )
    result["components"]["schemas"]["FeastError"] = {
        "type": "string",
        "description": "JSON within a text, as Feast has it: module and class of its client's error, and message; and "
        "the code and details of other calls' errors.",
    }
    for path, item in result["paths"].items():
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            operation["tags"] = [_TOPICS[path.removeprefix(PREFIX).strip("/").partition("/")[0]]]
            if "security" in operation:
                _add_to(operation, method, path)
    result["tags"] = [{"name": name, "description": text} for name, text in _TOPIC_TEXTS.items()]
    return result


def _add_to(operation: dict[str, Any], method: str, path: str) -> None:
    errors = dict(_ALWAYS)
    schema = _FEAST_ERROR if path in OTHER_CALLS else _ERROR
    if method != "get" and operation["operationId"] not in _READING_POSTS:
        errors |= _MODIFYING
    if "requestBody" in operation:
        errors |= _WITH_BODY
    if any(parameter["name"] == "page" for parameter in operation.get("parameters", ())):
        errors |= _WITH_PAGES
    if "{" in path:
        errors |= _WITH_NAME
    responses = operation["responses"]
    for status, description in errors.items():
        response = responses.setdefault(status, {"content": {"application/json": {"schema": schema}}})
        response["description"] = response.get("description") or description
    operation["responses"] = dict(sorted(responses.items()))


@cache
def calls_of_the_api() -> tuple[dict[str, str], ...]:
    """Every call below ``/api/v1/``: ``method``, ``path``, ``operation`` and ``summary``, in the order of the paths."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return tuple(
        {
            "method": method.upper(),
            "path": path,
            "operation": operation["operationId"],
            "summary": operation.get("summary", ""),
        }
        for path, item in sorted(schema["paths"].items())
        if path.startswith(PREFIX)
        for method, operation in item.items()
        if method in _METHODS
    )
