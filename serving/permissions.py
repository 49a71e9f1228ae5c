"""What a caller of the API may do: the capability that a view requires, and the scope of the token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from catalog.access import Capability, may
from serving.models import ApiToken, Scope

if TYPE_CHECKING:
    # The framework loads its permission classes while it loads its views.
    from rest_framework.views import APIView


class HasCapability(BasePermission):
    """The caller's role gives ``required_capability`` of the view, and a token its scope.

    A view declares ``required_capability``: one :class:`Capability`, or a mapping from action to one (a missing
    action is refused). The scope asked of a token is ``write`` for methods that modify and ``read`` for others;
    a view whose POST only reads names that action in ``reading_actions``.
    """

    message = "your role does not allow this"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method == "OPTIONS":
            return True
        capability = _required(view)
        if capability is None or not may(request.user, capability):
            if capability is not None:
                self.message = f"this needs the capability {capability.value}, which your role does not give"
            return False
        scope = _scope(request, view)
        if isinstance(request.auth, ApiToken) and scope.value not in request.auth.scopes:
            self.message = f"this needs a token of scope {scope.value}; yours has {', '.join(request.auth.scopes)}"
            return False
        return True


def _required(view: APIView) -> Capability | None:
    required = getattr(view, "required_capability", None)
    if isinstance(required, Mapping):
        return required.get(getattr(view, "action", None))
    return required


def _scope(request: Request, view: APIView) -> Scope:
    reads = request.method in SAFE_METHODS or getattr(view, "action", None) in getattr(view, "reading_actions", ())
    return Scope.READ if reads else Scope.WRITE
