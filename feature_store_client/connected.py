"""What every group of calls stands on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from feature_store_client.http import Transport


class Connected:
    """Calls over one transport, with one zone for times that have none."""

    def __init__(self, *, transport: Transport, zone: ZoneInfo) -> None:
        self._transport = transport
        self._zone = zone
