"""Those who read, ingest and edit during the soak, each in a thread."""

from __future__ import annotations

import json
import random
import threading
import time

from benchmarks import soak_store
from benchmarks.own_store import manage
from benchmarks.soak_laws import Law
from benchmarks.soak_stage import BATCH, FEAST, GRACE, Caller, Soak
from benchmarks.soak_store import AGED, CLOSED, ENTITIES, FEATURES, GRANTED, MOVING, SPARSE, feature


def read_rows(soak: Soak) -> None:
    """Reads both moving groups for one or many entities: every row of one revision, none older than acknowledged."""
    caller = Caller(soak, soak.hands.do("user", name=f"reader {threading.get_ident()}", role="viewer"))
    choose = random.Random(threading.get_ident())
    names = {group: [feature(group, number) for number in range(FEATURES)] for group in MOVING}
    every = [name for group in MOVING for name in names[group]]
    while not soak.stop.is_set():
        entities = choose.sample(range(ENTITIES), choose.choice((1, 1, 1, 20)))
        status, answer, begun, ended = caller.post(BATCH, {"entity_ids": entities, "features": every})
        if status == 200:
            for group in MOVING:
                seen = {
                    soak_store.revision_of([result["features"][name] for name in names[group]])
                    for result in answer["results"]
                }
                _one_revision(soak, group, seen, begun, ended)
        time.sleep(0.005)


def read_by_feasts_call(soak: Soak) -> None:
    """The same through the call of Feast's clients."""
    caller = Caller(soak, soak.hands.do("user", name="feast", role="viewer"), scheme="Bearer")
    choose = random.Random(7)
    while not soak.stop.is_set():
        group = choose.choice(MOVING)
        entities = choose.sample(range(ENTITIES), 5)
        references = [f"{group}:{feature(group, number)}" for number in range(FEATURES)]
        body = {"features": references, "entities": {"customer_id": entities}}
        status, answer, begun, ended = caller.post(FEAST, body)
        if status == 200:
            _, *columns = [result["values"] for result in answer["results"]]
            seen = {soak_store.revision_of(list(row)) for row in zip(*columns, strict=True)}
            _one_revision(soak, group, seen, begun, ended)
        time.sleep(0.02)


def _one_revision(soak: Soak, group: str, seen: set[int | None], begun: float, ended: float) -> None:
    if len(seen) != 1 or None in seen:
        soak.fault(f"rows of {group}: an answer has the revisions {seen}")
        return
    soak.fault(soak.rows[group].fault(seen.pop(), begun=begun, ended=ended))


def read_what_is_edited(soak: Soak) -> None:
    """Reads a value of each group that somebody edits."""
    caller = Caller(soak, soak.hands.do("user", name="plain", role="viewer"))
    names = [feature(group, 0) for group in (AGED, CLOSED, GRANTED)]
    soak.run(_edit_grants)
    while not soak.stop.is_set():
        status, answer, begun, ended = caller.post(BATCH, {"entity_id": 7, "features": names, "include_metadata": True})
        if status == 200:
            for law, name in zip((soak.age, soak.mask, soak.granted), names, strict=True):
                soak.fault(law.fault(answer["metadata"][name]["status"], begun=begun, ended=ended))
        status, answer, begun, ended = caller.post(
            BATCH, {"entity_id": soak_store.nobody(), "features": [feature(SPARSE, 0)]}
        )
        if status == 200:
            soak.fault(soak.default.fault(answer["features"][feature(SPARSE, 0)], begun=begun, ended=ended))
        time.sleep(0.02)


def ingest(soak: Soak) -> None:
    """Changes the source rows of a group and has them ingested; what is acknowledged must be read from then on."""
    caller = Caller(soak, soak.hands.do("user", name="engineer", role="data engineer"))
    revision = dict.fromkeys(MOVING, 1)
    while not soak.stop.is_set():
        for group in MOVING:
            revision[group] += 1
            law = soak.rows[group]
            soak_store.write_revision(soak.folder, group, revision[group])
            law.begin(revision[group])
            status, answer, _, _ = caller.post("/api/v1/refresh", {"groups": [group], "wait": 30}, expected=(200,))
            runs = (answer or {}).get("runs", [])
            if status != 200 or [run["state"] for run in runs] != ["succeeded"]:
                soak.fault(f"the ingestion of {group} answered {status}: {json.dumps(answer)[:300]}")
                return
            law.acknowledge()
            soak.stop.wait(1.0)


def edit_groups(soak: Soak) -> None:
    """Changes the max age of one group and the sensitivity of another, back and forth."""
    while not soak.stop.is_set():
        with soak.as_declared:
            for seconds, seen in ((1.0, "OUTSIDE_MAX_AGE"), (None, "PRESENT")):
                soak.age.begin(seen)
                soak.hands.do("max_age", group=AGED, seconds=seconds)
                soak.age.acknowledge()
                soak.stop.wait(2.0)
            for sensitivity, seen in (("personal", "MASKED"), ("internal", "PRESENT")):
                soak.mask.begin(seen)
                soak.hands.do("sensitivity", group=CLOSED, to=sensitivity)
                soak.mask.acknowledge()
                soak.stop.wait(2.0)
        time.sleep(0.2)  # whoever waits for the lock gets it


def edit_defaults(soak: Soak) -> None:
    """Changes a default in the configuration and applies it, as a data engineer does."""
    default = 0.0
    while not soak.stop.wait(20.0):
        default += 1.0
        with soak.as_declared:
            soak_store.declare(soak.folder, workers=soak.workers, default=default)
            soak.default.begin(default)
            manage(soak.folder, "apply")
            soak.default.acknowledge()


def _edit_grants(soak: Soak) -> None:
    while not soak.stop.is_set():
        for hand, seen in (("grant", "PRESENT"), ("take_away", "MASKED")):
            soak.granted.begin(seen)
            soak.hands.do(hand, group=GRANTED, name="plain")
            soak.granted.acknowledge()
            soak.stop.wait(2.5)


def edit_roles(soak: Soak) -> None:
    """Takes the only role of somebody, and gives it back, while they read."""
    caller = Caller(soak, soak.hands.do("user", name="visitor", role="viewer"))

    def read() -> None:
        while not soak.stop.is_set():
            status, _, begun, ended = caller.post(
                BATCH, {"entity_id": 7, "features": [feature(SPARSE, 0)]}, expected=(200, 403)
            )
            soak.fault(soak.role.fault(status, begun=begun, ended=ended))
            time.sleep(0.02)

    threading.Thread(target=read, daemon=True).start()
    while not soak.stop.is_set():
        for give, seen in ((False, 403), (True, 200)):
            soak.role.begin(seen)
            soak.hands.do("role", name="visitor", give=give)
            soak.role.acknowledge()
            soak.stop.wait(2.5)


def revoke_tokens(soak: Soak) -> None:
    """Issues a token, reads with it, revokes it, and goes on asking: refused within a second, and for good."""
    soak.hands.do("user", name="guest", role="viewer")
    while not soak.stop.is_set():
        issued = soak.hands.do("token", name="guest")
        law = Law(f"token {issued['id']}", grace=GRACE)
        law.begin(200)
        law.acknowledge()
        caller = Caller(soak, issued["key"])
        end = time.monotonic() + 4.0
        revoker = threading.Timer(1.0, lambda law=law, id=issued["id"]: _revoke(soak, law, id))
        revoker.start()
        while time.monotonic() < end:
            status, _, begun, ended = caller.post(
                BATCH, {"entity_id": 7, "features": [feature(SPARSE, 0)]}, expected=(200, 401)
            )
            soak.fault(law.fault(status, begun=begun, ended=ended))
            time.sleep(0.02)
        revoker.join()
        soak.tokens.begin(issued["id"])
        soak.tokens.acknowledge()
        soak.tokens.slowest = max(soak.tokens.slowest, law.slowest)


def _revoke(soak: Soak, law: Law, id: int) -> None:
    law.begin(401)
    soak.hands.do("revoke", id=id)
    law.acknowledge()
