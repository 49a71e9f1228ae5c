"""The record of a read of values on a page, as the API leaves one for each of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence

from catalog.actor import current_actor
from catalog.clock import now
from catalog.errors import Unavailable
from catalog.models import FeatureVersion
from catalog.references import ResolvedFeature
from catalog.wording import gettext as _
from serving.access_log import AccessRecord, ReadKind, write_access_record


def record_page_read(resolved: Sequence[ResolvedFeature], *, entities: int, began: float) -> None:
    """Write that the current actor has read; ``began`` is the performance counter when the request came.

    :raises Unavailable: when it cannot be written; a read that leaves no record must not be answered.
    """
    record_versions_read([item.version for item in resolved], entities=entities, began=began)


def record_versions_read(
    versions: Sequence[FeatureVersion], *, entities: int, began: float, token: str = "", purpose: str = ""
) -> None:
    """The same of features that no reference led to; ``token`` is the prefix of the token that was used, ``purpose``
    what the entity was looked up for.

    :raises Unavailable: as above.
    """
    actor = current_actor()
    try:
        write_access_record(
            AccessRecord(
                at=now(),
                caller=actor.name,
                token=token,
                kind=ReadKind.HISTORICAL,
                feature_ids=tuple(version.public_id for version in versions),
                feature_keys=tuple(version.feature_id for version in versions),
                entities=entities,
                milliseconds=(time.perf_counter() - began) * 1000,
                status=200,
                request_id=actor.request_id,
                purpose=purpose,
            )
        )
    except OSError as error:
        raise Unavailable(_("the access log cannot be written at the moment")) from error
