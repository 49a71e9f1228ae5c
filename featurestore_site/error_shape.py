"""The one shape of every error of the API: ``{"error": {"code", "message", "details"}}``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from catalog.errors import FeatureStoreError

API_PREFIX = "/api/"
# Calls of the API that lie where the clients of another system look for them.
OTHER_CALLS = frozenset({"/get-online-features"})

# The framework's errors by our codes; the first class that fits counts.
_CODES: tuple[tuple[type[exceptions.APIException], str], ...] = (
    (exceptions.ValidationError, "invalid_input"),
    (exceptions.ParseError, "malformed_body"),
    (exceptions.AuthenticationFailed, "not_authenticated"),
    (exceptions.NotAuthenticated, "not_authenticated"),
    (exceptions.PermissionDenied, "permission_denied"),
    (exceptions.NotFound, "not_found"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.NotAcceptable, "not_acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.Throttled, "throttled"),
)
_UNAVAILABLE_SECONDS = 1

logger = logging.getLogger(__name__)


def is_call(path: str) -> bool:
    """Whether a program is served at this path, not a person."""
    return path.startswith(API_PREFIX) or path in OTHER_CALLS


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"code": code, "message": message, "details": dict(details or {})}}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer for an error that a view of the API raised; None for one that is the store's own fault."""
    response = _response(error, context)
    if response is not None:
        set_rollback()
    return response


def _response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    match error:
        case FeatureStoreError():
            headers = {"Retry-After": str(_UNAVAILABLE_SECONDS)} if error.status == 503 else None
            return Response(error_body(error.code, error.message, error.details), status=error.status, headers=headers)
        case exceptions.APIException():
            return _framework_error(error, context)
        case Http404():
            return Response(error_body("not_found", "there is nothing at this address"), status=404)
        case PermissionDenied():
            return Response(error_body("permission_denied", str(error) or "this is not allowed to you"), status=403)
        case RequestDataTooBig():
            return Response(error_body("too_large", "the body is larger than this call takes"), status=413)
        case SuspiciousOperation():
            return Response(error_body("invalid_input", "the request is not well formed"), status=400)
        case OperationalError():
            logger.exception("the database did not answer")
            return Response(
                error_body("unavailable", "the database is busy or does not answer; try again"),
                status=503,
                headers={"Retry-After": str(_UNAVAILABLE_SECONDS)},
            )
    return None


def _framework_error(error: exceptions.APIException, context: Mapping[str, Any]) -> Response:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "error")
    headers: dict[str, str] = {}
    details: dict[str, Any] = {}
    message = str(error.detail)
    if isinstance(error, exceptions.ValidationError):
        details = {"fields": _fields(error.detail)}
        message = "; ".join(_sentences(error.detail))
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = list(getattr(context.get("view"), "allowed_methods", ()))
        details = {"allowed": allowed}
        message = f"{message} It takes {', '.join(allowed)}."
        headers["Allow"] = ", ".join(allowed)
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(int(wait))
        details = {"retry_after": int(wait)}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    return Response(error_body(code, message, details), status=error.status_code, headers=headers or None)


def _fields(detail: Any) -> Any:
    if isinstance(detail, Mapping):
        return {str(name): _fields(part) for name, part in detail.items()}
    return [_fields(part) if isinstance(part, (Mapping, list)) else str(part) for part in detail]


def _sentences(detail: Any, place: str = "") -> list[str]:
    """One sentence per fault, with its place before it, such as ``features.0: …``."""
    if isinstance(detail, Mapping):
        parts: list[tuple[str, Any]] = [("" if key == "non_field_errors" else str(key), detail[key]) for key in detail]
    elif isinstance(detail, list):
        parts = [(str(index) if isinstance(part, Mapping) else "", part) for index, part in enumerate(detail)]
    else:
        return [f"{place}: {detail}" if place else str(detail)]
    return [sentence for name, part in parts for sentence in _sentences(part, ".".join(filter(None, (place, name))))]


def unknown_address(request: HttpRequest) -> HttpResponse:
    """Whatever is not an address of the API."""
    hint = "; the addresses of this API do not end with a slash" if request.path.endswith("/") else ""
    message = f"there is nothing at {request.path}{hint}; GET /api/v1 lists the calls"
    return JsonResponse(error_body("not_found", message), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What no view was asked about, such as a host that is not allowed."""
    if is_call(request.path):
        return JsonResponse(error_body("invalid_input", "the request is not well formed"), status=400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_call(request.path):
        return JsonResponse(error_body("permission_denied", "this is not allowed to you"), status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_call(request.path):
        return unknown_address(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of the store itself, which its log has with the traceback."""
    if is_call(request.path):
        message = "the store failed while answering; its log says more under the id in X-Request-ID"
        return JsonResponse(error_body("server_error", message), status=500)
    return defaults.server_error(request)
