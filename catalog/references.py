"""Feature references: ``[group:]name[@version]`` → feature versions."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.access import Reader
from catalog.errors import InvalidInput, NotFound, UnknownReference
from catalog.models import Feature, FeatureService, FeatureVersion, Status
from catalog.wording import gettext as _

_REFERENCE = re.compile(
    r"(?:(?P<group>[^:@\s\0]+):)?(?P<name>[^:@\s\0]+)(?:@v?(?P<major>\d{1,9})(?:\.(?P<minor>\d{1,9}))?)?"
)


@dataclass(frozen=True)
class Reference:
    """A parsed reference; ``text`` is how it was written and how answers name it."""

    text: str
    name: str
    group: str | None = None
    major: int | None = None
    minor: int | None = None


@dataclass(frozen=True)
class ResolvedFeature:
    """A reference and the version it means."""

    reference: str
    version: FeatureVersion


def parse_reference(text: object) -> Reference:
    """The parts of one reference.

    :raises InvalidInput: when it has another form than ``[group:]name[@version]``.
    """
    found = _REFERENCE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InvalidInput(
            _(
                "%(text)r is not a feature reference; write [group:]name[@version], such as "
                "balance_mean, customer_financial:balance_mean or balance_mean@1.0"
            )
            % {"text": text},
            details={"reference": text},
        )
    major, minor = found["major"], found["minor"]
    return Reference(
        text=str(text),
        name=found["name"],
        group=found["group"],
        major=None if major is None else int(major),
        minor=None if minor is None else int(minor),
    )


def resolve_references(texts: Sequence[object], *, user: Reader) -> list[ResolvedFeature]:
    """The version that each reference means, in order, of those that ``user`` may know of.

    Without a version it is the feature's default version; with a major alone, its newest minor. The number of
    queries does not grow with the references.

    :raises InvalidInput: on a malformed, repeated or ambiguous reference, or an empty list.
    :raises UnknownReference: on a name or version that does not exist, naming the nearest ones.
    """
    if not texts:
        raise InvalidInput(_("no feature was asked for; name at least one"), details={"features": []})
    references = [parse_reference(text) for text in texts]
    seen: set[str] = set()
    for reference in references:
        if reference.text in seen:
            raise InvalidInput(
                _("%(text)s is asked for twice") % {"text": reference.text}, details={"reference": reference.text}
            )
        seen.add(reference.text)
    candidates = _candidates({reference.name for reference in references}, user)
    features = [_pick(reference, candidates, user) for reference in references]
    return _versions(references, features, user)


def resolve_service(name: str, *, user: Reader) -> list[ResolvedFeature]:
    """The pinned versions of the feature service ``name``, in its order, referred to by feature name.

    :raises NotFound: when there is no such service that ``user`` may know of.
    """
    # PostgreSQL takes no text with a null character, not even to compare.
    service = None if "\0" in name else FeatureService.objects.visible_to(user).filter(name=name).first()
    if service is None:
        names = list(FeatureService.objects.visible_to(user).values_list("name", flat=True)[:5000])
        near = difflib.get_close_matches(name, names, n=3)
        hint = _("; did you mean %(names)s?") % {"names": ", ".join(near)} if near else ""
        raise NotFound(
            _("there is no feature service %(name)r%(hint)s") % {"name": name, "hint": hint},
            details={"service": name, "nearest": near},
        )
    members = service.members.select_related("version__feature__entity", "version__feature__group")
    versions = [member.version for member in members]
    names_used = [version.feature.name for version in versions]
    return [
        ResolvedFeature(
            reference=version.feature.name
            if names_used.count(version.feature.name) == 1
            else f"{version.feature.group.name}:{version.feature.name}@{version.number}",
            version=version,
        )
        for version in versions
    ]


def _candidates(names: set[str], user: Reader) -> dict[str, list[Feature]]:
    found: dict[str, list[Feature]] = defaultdict(list)
    visible = Feature.objects.visible_to(user).select_related("group", "entity", "default_version")
    for feature in visible.filter(name__in=names):
        found[feature.name].append(feature)
    return found


def _pick(reference: Reference, candidates: dict[str, list[Feature]], user: Reader) -> Feature:
    named = candidates.get(reference.name, [])
    fitting = [feature for feature in named if reference.group in (None, feature.group.name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ways = sorted(f"{feature.group.name}:{feature.name}" for feature in fitting)
        raise InvalidInput(
            _("%(text)s could be %(ways)s; write one of these")
            % {"text": reference.text, "ways": _(" or ").join(ways)},
            details={"reference": reference.text, "candidates": ways},
        )
    if named:
        near = sorted(f"{feature.group.name}:{feature.name}" for feature in named)
    else:
        near = nearest_names(reference.name, user=user)
    hint = _("; did you mean %(names)s?") % {"names": ", ".join(near)} if near else ""
    raise UnknownReference(
        _("there is no feature %(text)r%(hint)s") % {"text": reference.text, "hint": hint},
        details={"reference": reference.text, "nearest": near},
    )


def nearest_names(name: str, *, user: Reader, count: int = 3) -> list[str]:
    """The visible feature names most like ``name``, best first."""
    names = list(Feature.objects.visible_to(user).values_list("name", flat=True).distinct())
    return difflib.get_close_matches(name.lower(), names, n=count, cutoff=0.5)


def _versions(references: Sequence[Reference], features: Sequence[Feature], user: Reader) -> list[ResolvedFeature]:
    by_feature: dict[int, list[FeatureVersion]] = defaultdict(list)
    wanted = [feature.pk for feature in features]
    visible = FeatureVersion.objects.visible_to(user).filter(feature__in=wanted)
    for version in visible.select_related("feature__entity", "feature__group"):
        by_feature[version.feature_id].append(version)
    return [
        ResolvedFeature(reference=reference.text, version=_version(reference, feature, by_feature[feature.pk]))
        for reference, feature in zip(references, features, strict=True)
    ]


def _version(reference: Reference, feature: Feature, versions: Sequence[FeatureVersion]) -> FeatureVersion:
    if reference.major is None:
        fitting = [version for version in versions if version.pk == feature.default_version_id]
    else:
        fitting = [
            version
            for version in versions
            if version.major == reference.major and reference.minor in (None, version.minor)
        ]
    if fitting:
        return max(fitting, key=lambda version: version.minor)
    known = [version.number for version in versions if version.status != Status.ARCHIVED]
    told = (
        _("%(name)s has no such default version; its versions are %(versions)s")
        if reference.major is None
        else _("%(name)s has no such version in %(text)r; its versions are %(versions)s")
    )
    raise UnknownReference(
        told % {"name": feature.name, "text": reference.text, "versions": ", ".join(known) or _("none")},
        details={"reference": reference.text, "versions": known},
    )
