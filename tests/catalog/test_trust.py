"""The trust line: what each piece of evidence says, and which verdict they add up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.trust import Broken, Checks, State, TrustFacts, Use, Verdict, judge

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
GOOD = TrustFacts(
    at=NOW,
    owner="risk team",
    newest_event=NOW - timedelta(hours=3),
    promised=timedelta(days=1),
    checks=Checks(at=NOW, rules=6, drift=0.02, drift_limit=0.2),
    use=Use(services=2, datasets=1, callers=14),
)


def state_of(verdict: Verdict, topic: str) -> State:
    return next(one.state for one in verdict.evidence if one.topic == topic)


def text_of(verdict: Verdict, topic: str) -> str:
    return next(one.text for one in verdict.evidence if one.topic == topic)


def test_a_good_feature_is_fit_for_use_and_says_why() -> None:
    verdict = judge(GOOD)

    assert verdict.state is State.GOOD
    assert verdict.sentence == (
        "Fit for use: as fresh as promised, all 6 checks passed, no drift, owned by risk team, used by 2 services, "
        "1 training dataset and 14 callers in 30 days."
    )
    assert (verdict.words, verdict.because[:20]) == ("Fit for use", "as fresh as promised")
    assert [one.topic for one in verdict.evidence] == ["freshness", "checks", "drift", "owner", "use"]
    assert text_of(verdict, "freshness") == "newest value 3 hours ago, within the promised 1 day"


@pytest.mark.parametrize(
    ("change", "state", "sentence"),
    [
        ({"status": "deprecated"}, State.BAD, "Do not build on it: it is deprecated."),
        (
            {"status": "deprecated", "replaced_by": "balance_median"},
            State.BAD,
            "Do not build on it: it is deprecated (use balance_median).",
        ),
        ({"open_incidents": 1}, State.BAD, "Do not build on it: an incident is open."),
        ({"open_incidents": 2}, State.BAD, "Do not build on it: 2 incidents are open."),
        ({"source_problem": "no column"}, State.BAD, "Do not build on it: its source gives no values."),
        (
            {"newest_event": NOW - timedelta(days=3)},
            State.BAD,
            "Do not build on it: newest value 3 days ago, though 1 day is promised.",
        ),
        (
            {"newest_event": NOW - timedelta(hours=30)},
            State.WARN,
            "Use with care: newest value 1 day ago, though 1 day is promised.",
        ),
        ({"tier": "experimental"}, State.WARN, "Use with care: it is experimental."),
        ({"owner": ""}, State.WARN, "Use with care: nobody owns it."),
        (
            {"shortfalls": ("completeness", "validity")},
            State.WARN,
            "Use with care: completeness and validity below the threshold.",
        ),
        ({"newest_event": None}, State.UNKNOWN, "Not known yet: no value was ever ingested."),
    ],
)
def test_what_speaks_against_it(change: dict[str, object], state: State, sentence: str) -> None:
    verdict = judge(replace(GOOD, **change))  # type: ignore[arg-type]  # what changes varies

    assert (verdict.state, verdict.sentence) == (state, sentence)


@pytest.mark.parametrize(
    ("broken", "state", "text"),
    [
        ([Broken("max_value", "warn", 0.003)], State.GOOD, "1 of 6 checks flag at most 0.3% of values (max value)"),
        ([Broken("max_value", "warn", 0.2)], State.WARN, "1 of 6 checks broken (max value)"),
        ([Broken("pattern", "reject", 0.001)], State.WARN, "1 of 6 checks broken (pattern)"),
        ([Broken("unique", "fail", 0.001)], State.BAD, "1 of 6 checks broken (unique)"),
        ([Broken(name, "reject", 0.1) for name in "abcde"], State.WARN, "5 of 6 checks broken (a, b, c and 2 more)"),
    ],
)
def test_broken_checks_count_by_severity_and_share(broken: list[Broken], state: State, text: str) -> None:
    checks = Checks(at=NOW, rules=6, broken=tuple(broken))
    verdict = judge(replace(GOOD, checks=checks, tolerated=0.1))

    assert (state_of(verdict, "checks"), text_of(verdict, "checks"), verdict.state) == (state, text, state)


def test_drift_beyond_its_limit_is_a_warning() -> None:
    drifted = judge(replace(GOOD, checks=Checks(at=NOW, rules=1, drift=0.3123, drift_limit=0.2)))

    assert drifted.sentence == "Use with care: it has drifted (0.312, above 0.2)."
    assert text_of(drifted, "checks") == "its one check passed"


def test_what_is_unknown_neither_helps_nor_harms() -> None:
    verdict = judge(replace(GOOD, checks=None, promised=None, use=Use()))

    assert (verdict.state, verdict.sentence) == (State.GOOD, "Fit for use: owned by risk team.")
    assert {one.topic for one in verdict.evidence if one.state is State.UNKNOWN} == {
        "freshness",
        "checks",
        "drift",
        "use",
    }


@given(
    hours=st.integers(0, 10_000),
    promised=st.none() | st.timedeltas(timedelta(hours=1), timedelta(days=100)),
    incidents=st.integers(0, 3),
    status=st.sampled_from(["active", "deprecated", "archived"]),
    share=st.floats(0, 1),
    severity=st.sampled_from(["warn", "reject", "fail"]),
    owner=st.sampled_from(["", "risk team"]),
)
def test_the_verdict_is_never_better_than_its_evidence(
    hours: int,
    promised: timedelta | None,
    incidents: int,
    status: str,
    share: float,
    severity: str,
    owner: str,
) -> None:
    verdict = judge(
        TrustFacts(
            at=NOW,
            status=status,
            owner=owner,
            newest_event=NOW - timedelta(hours=hours),
            promised=promised,
            open_incidents=incidents,
            checks=Checks(at=NOW, rules=3, broken=(Broken("type", severity, share),)),
        )
    )
    states = {one.state for one in verdict.evidence}
    worst = State.BAD if State.BAD in states else State.WARN if State.WARN in states else State.GOOD
    assert verdict.state is worst
    assert verdict.sentence.startswith(verdict.words)
    assert verdict.sentence.endswith(".")
    assert all(one.text in verdict.sentence for one in verdict.evidence if one.state is worst is State.BAD)
