"""The one class that users of the SDK meet."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from feature_store_client.datasets import DatasetCalls
from feature_store_client.explanations import ExplainingCalls
from feature_store_client.http import Transport
from feature_store_client.instants import zone_named
from feature_store_client.management import ManagementCalls
from feature_store_client.metadata import MetadataCalls
from feature_store_client.retrying import RetryPolicy
from feature_store_client.scoring import ScoringCalls
from feature_store_client.serving import ServingCalls


class FeatureStoreClient(ServingCalls, ScoringCalls, DatasetCalls, ExplainingCalls, MetadataCalls, ManagementCalls):
    """A client of one feature store. One is enough for a process: it may be used from several threads.

    :param base_url: the address of the server, with or without ``/api/v1``.
    :param token: the access token; by default the environment variable FEATURESTORE_TOKEN.
    :param timeout: seconds to wait for a connection, and for the server to send the next bytes.
    :param retries: how often a call is repeated after a failure that can heal (connection refused or broken, 429,
        502, 503, 504), or a whole policy. Commands are repeated only where the server has not begun them.
    :param timezone: the zone of times that are given without one.
    :raises InvalidRequestError: when an argument cannot be right.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int | RetryPolicy = 3,
        timezone: str = "UTC",
    ) -> None:
        policy = RetryPolicy(retries=retries) if isinstance(retries, int) else retries
        super().__init__(
            transport=Transport(base_url, token, timeout=timeout, policy=policy), zone=zone_named(timezone)
        )

    def close(self) -> None:
        """Close the open connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"FeatureStoreClient({self._transport.root!r})"
