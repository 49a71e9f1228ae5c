"""The trust line: one sentence that says whether to build on a feature, with its evidence (no Django but its words).

Every piece of evidence is good, a warning, bad, or unknown. The verdict is that of the worst of them; what is unknown
neither helps nor harms, unless nothing is known of the values at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from catalog.presentation import format_age, format_number, format_share, format_span
from catalog.terms import word_of
from catalog.wording import Promise, gettext_lazy, ngettext
from catalog.wording import gettext as _


class State(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Broken:
    """A rule that rows broke: what happens to these by its severity, and which share of all they are."""

    rule: str
    severity: str
    share: float


@dataclass(frozen=True)
class Checks:
    """How the newest values stood to the rules of the feature.

    ``drift`` is the stability index against the profile before, None where there was none to compare with, and
    ``drift_limit`` what it may be.
    """

    at: datetime
    rules: int
    broken: tuple[Broken, ...] = ()
    drift: float | None = None
    drift_limit: float | None = None


@dataclass(frozen=True)
class Use:
    """Who builds on it: counts of services, training datasets, and of callers within the last 30 days."""

    services: int = 0
    datasets: int = 0
    callers: int = 0


@dataclass(frozen=True)
class TrustFacts:
    """What the verdict is made of.

    ``promised`` is how old the newest value may be, None where nothing is promised. ``tolerated`` is the share of rows
    that may break rules of severity warn: what the threshold of validity leaves.
    """

    at: datetime
    status: str = "active"
    replaced_by: str = ""
    tier: str = "standard"
    owner: str = ""
    source_problem: str = ""
    newest_event: datetime | None = None
    promised: timedelta | None = None
    open_incidents: int = 0
    checks: Checks | None = None
    tolerated: float = 0.0
    shortfalls: tuple[str, ...] = ()
    use: Use = Use()


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for or against the feature; ``brief`` is how a good verdict tells it."""

    topic: str
    state: State
    text: str
    brief: str = ""


@dataclass(frozen=True)
class Verdict:
    """``because`` is what decided it, perhaps nothing; ``evidence`` is all of it, in a fixed order of topics."""

    state: State
    because: str
    evidence: tuple[Evidence, ...]

    @property
    def words(self) -> str:
        """The verdict alone."""
        return str(_WORDS[self.state])

    @property
    def sentence(self) -> str:
        """The verdict with what decided it."""
        if not self.because:
            return _("%(verdict)s.") % {"verdict": self.words}
        return _("%(verdict)s: %(because)s.") % {"verdict": self.words, "because": self.because}


_WORDS: dict[State, Promise] = {
    State.GOOD: gettext_lazy("Fit for use"),
    State.WARN: gettext_lazy("Use with care"),
    State.BAD: gettext_lazy("Do not build on it"),
    State.UNKNOWN: gettext_lazy("Not known yet"),
}
_FATAL, _FLAGGED = "fail", "warn"
# The topics that a good verdict names as its reasons.
_TELLING = ("freshness", "checks", "drift", "owner", "use")


def judge(facts: TrustFacts) -> Verdict:
    """The verdict on a feature."""
    evidence = tuple(_evidence(facts))
    states = {one.state for one in evidence}
    if State.BAD in states:
        state = State.BAD
    elif facts.newest_event is None:
        state = State.UNKNOWN
    elif State.WARN in states:
        state = State.WARN
    else:
        state = State.GOOD
    return Verdict(state=state, because=_because(state, evidence), evidence=evidence)


def _because(state: State, evidence: tuple[Evidence, ...]) -> str:
    if state is State.GOOD:
        good = [one for one in evidence if one.topic in _TELLING and one.state is State.GOOD]
        told = [one.brief or one.text for one in good]
    elif state is State.UNKNOWN:
        told = [one.text for one in evidence if one.topic == "freshness"]
    else:
        told = [one.text for one in evidence if one.state is State.BAD]
        told += [one.text for one in evidence if one.state is State.WARN]
    return ", ".join(told)


def _evidence(facts: TrustFacts) -> Iterator[Evidence]:
    if facts.status != "active":
        said = {"status": word_of(facts.status), "other": facts.replaced_by}
        told = _("it is %(status)s (use %(other)s)") if facts.replaced_by else _("it is %(status)s")
        yield Evidence("status", State.BAD, told % said)
    if facts.open_incidents:
        count = facts.open_incidents
        told = ngettext("an incident is open", "%(count)s incidents are open", count) % {"count": count}
        yield Evidence("incident", State.BAD, told)
    yield _freshness(facts)
    yield _checked(facts)
    if facts.shortfalls:
        yield Evidence("quality", State.WARN, _below(facts.shortfalls))
    yield _drift(facts.checks)
    if facts.tier == "certified":
        yield Evidence("tier", State.GOOD, _("certified"))
    elif facts.tier == "experimental":
        yield Evidence("tier", State.WARN, _("it is experimental"))
    if facts.owner:
        yield Evidence("owner", State.GOOD, _("owned by %(owner)s") % {"owner": facts.owner})
    else:
        yield Evidence("owner", State.WARN, _("nobody owns it"))
    yield _use(facts.use)


def _freshness(facts: TrustFacts) -> Evidence:
    if facts.source_problem:
        return Evidence("freshness", State.BAD, _("its source gives no values"))
    if facts.newest_event is None:
        return Evidence("freshness", State.UNKNOWN, _("no value was ever ingested"))
    age = facts.at - facts.newest_event
    said = {"age": format_age(facts.newest_event, at=facts.at), "promised": format_span(facts.promised)}
    if facts.promised is None:
        told = _("newest value %(age)s, and no freshness is promised") % said
        return Evidence("freshness", State.UNKNOWN, told)
    if age <= facts.promised:
        told = _("newest value %(age)s, within the promised %(promised)s") % said
        return Evidence("freshness", State.GOOD, told, _("as fresh as promised"))
    late = State.BAD if age > 2 * facts.promised else State.WARN
    return Evidence("freshness", late, _("newest value %(age)s, though %(promised)s is promised") % said)


def _checked(facts: TrustFacts) -> Evidence:
    checks = facts.checks
    if checks is None:
        return Evidence("checks", State.UNKNOWN, _("no check has run"))
    if not checks.rules:
        return Evidence("checks", State.UNKNOWN, _("it has no rules to check"))
    if not checks.broken:
        every = ngettext("its one check passed", "all %(count)s checks passed", checks.rules)
        return Evidence("checks", State.GOOD, every % {"count": checks.rules})
    named = ", ".join(word_of(one.rule).replace("_", " ") for one in checks.broken[:3])
    if len(checks.broken) > 3:
        named = _("%(named)s and %(count)s more") % {"named": named, "count": len(checks.broken) - 3}
    most = max(one.share for one in checks.broken)
    said = {"broken": len(checks.broken), "rules": checks.rules, "share": format_share(most), "named": named}
    if all(one.severity == _FLAGGED for one in checks.broken) and most <= facts.tolerated:
        flagged = _("%(broken)s of %(rules)s checks flag at most %(share)s of values (%(named)s)") % said
        brief = _("at most %(share)s of values flagged") % said
        return Evidence("checks", State.GOOD, flagged, brief)
    fatal = any(one.severity == _FATAL for one in checks.broken)
    text = _("%(broken)s of %(rules)s checks broken (%(named)s)") % said
    return Evidence("checks", State.BAD if fatal else State.WARN, text)


def _drift(checks: Checks | None) -> Evidence:
    if checks is None or checks.drift is None:
        return Evidence("drift", State.UNKNOWN, _("drift is not measured yet"))
    said = {"index": format_number(round(checks.drift, 3)), "limit": format_number(checks.drift_limit)}
    if checks.drift_limit is not None and checks.drift > checks.drift_limit:
        return Evidence("drift", State.WARN, _("it has drifted (%(index)s, above %(limit)s)") % said)
    return Evidence("drift", State.GOOD, _("no drift: stability index %(index)s") % said, _("no drift"))


def _use(use: Use) -> Evidence:
    counted = [
        (use.services, ngettext("%(count)s service", "%(count)s services", use.services)),
        (use.datasets, ngettext("%(count)s training dataset", "%(count)s training datasets", use.datasets)),
        (use.callers, ngettext("%(count)s caller in 30 days", "%(count)s callers in 30 days", use.callers)),
    ]
    told = [said % {"count": format_number(count)} for count, said in counted if count]
    if not told:
        return Evidence("use", State.UNKNOWN, _("nobody uses it yet"))
    return Evidence("use", State.GOOD, _("used by %(users)s") % {"users": _joined(told)})


def _joined(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return _("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def _below(measures: tuple[str, ...]) -> str:
    named = _(" and ").join(word_of(measure) for measure in measures)
    return _("%(measures)s below the threshold") % {"measures": named}
