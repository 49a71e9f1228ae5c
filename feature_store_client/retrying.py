"""When a failed request may be sent again, and how long to wait before."""

from __future__ import annotations

import email.utils
import random
import time
from dataclasses import dataclass

import requests
import urllib3.exceptions

_HEALING_STATUSES = frozenset({429, 502, 503, 504})
# A command that was answered 502 or 504 may have been carried out behind the gateway: not sent twice.
_REFUSED_UNTOUCHED_STATUSES = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is repeated.

    The wait before retry n (from 0) is ``backoff * 2**n`` seconds, cut at ``longest_wait`` and shortened by a random
    part of up to one half, so that many clients do not come back at the same moment. A ``Retry-After`` of the
    server is waited out instead; one longer than ``longest_wait`` ends the retries.
    """

    retries: int = 3
    backoff: float = 0.25
    longest_wait: float = 30.0

    def wait_before(self, retry: int, *, retry_after: float | None) -> float | None:
        """Seconds to wait before the given retry (0 is the first), or None when there is to be none."""
        if retry >= self.retries:
            return None
        if retry_after is not None:
            return retry_after if retry_after <= self.longest_wait else None
        return min(self.backoff * 2.0**retry, self.longest_wait) * random.uniform(0.5, 1.0)


def may_repeat_status(status: int, *, idempotent: bool) -> bool:
    """Whether an answer with this status may heal, and sending the request again can do no harm."""
    return status in (_HEALING_STATUSES if idempotent else _REFUSED_UNTOUCHED_STATUSES)


def may_repeat_failure(failure: requests.RequestException, *, idempotent: bool) -> bool:
    """Whether a request without an answer may be sent again: always if it never left, else if it is idempotent.

    A time out while waiting for the answer is not repeated: the server is busy with it, and asking again adds to
    its load.
    """
    if never_sent(failure):
        return True
    if isinstance(failure, requests.exceptions.SSLError) or timed_out(failure):
        return False
    broken = requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError
    return idempotent and isinstance(failure, broken)


def never_sent(failure: requests.RequestException) -> bool:
    """True when the connection could not be made, so the server has seen nothing of the request."""
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(_cause(failure), "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def timed_out(failure: requests.RequestException) -> bool:
    """True when the connection could not be made in time, or no more of the answer came in time."""
    # A body that stops coming is no Timeout to requests, as headers are that do not come.
    return isinstance(failure, requests.exceptions.Timeout) or isinstance(
        _cause(failure), urllib3.exceptions.ReadTimeoutError
    )


def broke_off_unanswered(failure: requests.RequestException) -> bool:
    """True when the connection was made, and ended before the headers of an answer."""
    return type(failure) is requests.exceptions.ConnectionError and isinstance(
        _cause(failure), urllib3.exceptions.ProtocolError
    )


def _cause(failure: requests.RequestException) -> object:
    return failure.args[0] if failure.args else None


def retry_after_seconds(response: requests.Response) -> float | None:
    """The ``Retry-After`` header in seconds from now (it may be a number or an HTTP date); None without one."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
