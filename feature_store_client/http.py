"""The one place that talks HTTP: one session, authentication, retries, and answers checked before they are used."""

from __future__ import annotations

import datetime
import http.cookiejar
import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from feature_store_client.error_mapping import error_from_response
from feature_store_client.errors import InvalidRequestError, ServerUnavailableError, UnexpectedResponseError
from feature_store_client.retrying import (
    RetryPolicy,
    broke_off_unanswered,
    may_repeat_failure,
    may_repeat_status,
    retry_after_seconds,
    timed_out,
)
from feature_store_client.version import __version__

API_PATH = "/api/v1"
JSON_TYPE = "application/json"
TOKEN_VARIABLE = "FEATURESTORE_TOKEN"
_POOL_SIZE = 32

Params = Mapping[str, str | Sequence[str]]


class _TokenAuth(AuthBase):
    """Sets the token header itself, so that credentials of a .netrc file never take its place."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Token {self._token}"
        return request


class Transport:
    """Sends requests below ``{base_url}/api/v1/``. Safe to use from several threads: the session holds no state of
    a request (no cookies, no redirects), only the connection pool, which is made for it."""

    def __init__(self, base_url: str, token: str | None, *, timeout: float, policy: RetryPolicy) -> None:
        self.root = _api_root(base_url)
        self.timeout = timeout
        self._policy = policy
        self._auth = _TokenAuth(_clean_token(token if token is not None else os.environ.get(TOKEN_VARIABLE)))
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"feature-store-client/{__version__}"
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL_SIZE))

    def close(self) -> None:
        self._session.close()

    def get_json(self, path: str, *, params: Params | None = None) -> dict[str, Any]:
        """The JSON object at a path."""
        return json_object(self.send("GET", path, params=params, accept=JSON_TYPE, idempotent=True))

    def post_json(
        self, path: str, body: Mapping[str, Any], *, idempotent: bool, timeout: float | None = None
    ) -> dict[str, Any]:
        """Send a JSON object and take one. ``idempotent`` says that sending it twice does what once does."""
        response = self.send(
            "POST",
            path,
            body=encode_json(body),
            content_type=JSON_TYPE,
            accept=JSON_TYPE,
            idempotent=idempotent,
            timeout=timeout,
        )
        return json_object(response)

    def send(
        self,
        method: str,
        path: str,
        *,
        accept: str,
        idempotent: bool,
        params: Params | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        timeout: float | None = None,
        accept_status: Sequence[int] = (),
    ) -> requests.Response:
        """One call with its retries; returns a 2xx answer (or one of ``accept_status``) with its body read.

        Raises the error that the last answer stands for, ``ServerUnavailableError`` when none came.
        """
        headers = {"Accept": accept} | ({"Content-Type": content_type} if content_type else {})
        retry = 0
        while True:
            retry_after: float | None = None
            try:
                response = self._session.request(
                    method,
                    f"{self.root}/{path}",
                    params=params,
                    data=body,
                    headers=headers,
                    auth=self._auth,
                    timeout=self.timeout if timeout is None else timeout,
                    allow_redirects=False,
                    stream=True,
                )
                _read_whole(response)
            except requests.RequestException as failure:
                if not may_repeat_failure(failure, idempotent=idempotent):
                    raise self._no_answer(failure) from failure
                wait = self._policy.wait_before(retry, retry_after=None)
                if wait is None:
                    raise self._no_answer(failure) from failure
            else:
                if 200 <= response.status_code < 300 or response.status_code in accept_status:
                    return response
                retry_after = retry_after_seconds(response)
                repeatable = may_repeat_status(response.status_code, idempotent=idempotent)
                wait = self._policy.wait_before(retry, retry_after=retry_after) if repeatable else None
                if wait is None:
                    raise error_from_response(response, retry_after=retry_after)
            time.sleep(wait)
            retry += 1

    def _no_answer(self, failure: requests.RequestException) -> Exception:
        if timed_out(failure):
            return ServerUnavailableError(f"{self.root} did not answer in time: {failure}", code="timeout")
        if isinstance(failure, requests.exceptions.ChunkedEncodingError):
            return ServerUnavailableError(
                f"the answer of {self.root} broke off before its end, so nothing of it is given: {failure}",
                code="connection_failed",
            )
        if broke_off_unanswered(failure):
            return ServerUnavailableError(
                f"the connection to {self.root} broke off before its answer came, "
                f"so whether the request was carried out is not known: {failure}",
                code="connection_failed",
            )
        if isinstance(failure, requests.exceptions.ConnectionError):
            return ServerUnavailableError(f"no connection to {self.root}: {failure}", code="connection_failed")
        if isinstance(failure, requests.exceptions.ContentDecodingError):
            return UnexpectedResponseError(f"the answer of {self.root} cannot be decoded: {failure}")
        return InvalidRequestError(f"the request cannot be sent: {failure}")


def json_object(response: requests.Response) -> dict[str, Any]:
    """The body as a JSON object, integers exact at any size; ``UnexpectedResponseError`` for anything else."""
    try:
        body = json.loads(response.content)
    except ValueError:
        kind = response.headers.get("Content-Type", "no content type")
        raise UnexpectedResponseError(
            f"{response.url} answered {kind} where JSON was expected (is base_url the address of a feature store?)",
            status=response.status_code,
        ) from None
    if not isinstance(body, dict):
        raise UnexpectedResponseError(
            f"{response.url} answered a JSON {type(body).__name__} where an object was expected",
            status=response.status_code,
        )
    return body


def encode_json(body: Mapping[str, Any]) -> bytes:
    """JSON bytes; NumPy and pandas scalars become the plain numbers and ISO texts that they stand for."""
    try:
        return json.dumps(body, allow_nan=False, default=_plain_value, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"the request cannot be written as JSON: {error}") from error


def _plain_value(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime.date) and not pd.isna(value):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{value!r} ({type(value).__name__}) has no JSON form")


def _read_whole(response: requests.Response) -> None:
    """Read the body in one piece: by itself requests takes ten kilobytes at a time, most of the time of a large table.

    Fails as ``response.content`` would.
    """
    response._content = b"".join(response.iter_content(None))


def _api_root(base_url: str) -> str:
    address = base_url.strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise InvalidRequestError(f"base_url {base_url!r} is no http(s) address such as http://localhost:8000")
    return address if address.endswith(API_PATH) else address + API_PATH


def _clean_token(token: str | None) -> str | None:
    clean = (token or "").strip()
    if not (clean.isascii() and clean.isprintable()):
        raise InvalidRequestError("the token has characters that no token has; copy it again")
    return clean or None
