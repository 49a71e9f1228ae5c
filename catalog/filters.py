"""The one filter set of features, for the page and the API alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import QuerySet
from django_filters.widgets import BooleanWidget
from drf_spectacular.utils import extend_schema_field

from catalog.access import Reader
from catalog.declarations import Sensitivity, Tier
from catalog.errors import InvalidInput
from catalog.models import Feature, FeatureGroup, Status
from catalog.search import Bound, Choice, Criteria
from catalog.search.criteria import read_age, read_share
from catalog.search.tokens import read_tokens
from catalog.value_types import ValueType
from catalog.wording import gettext as _

MOST_VALUES = 50


class WordsWidget(forms.SelectMultiple):
    """Reads a parameter that may be repeated."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [str(text) for text in ([given] if isinstance(given, str) else given)]


class WordsField(forms.Field):
    """One or more texts; with a ``separator`` one parameter may hold several, no others are taken than ``known``."""

    widget = WordsWidget

    def __init__(self, *, separator: str | None = ",", known: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.separator = separator
        self.known = tuple(known)

    def clean(self, value: Any) -> list[str]:
        texts: list[str] = super().clean(value) or []
        words = split_words(texts, self.separator)
        if len(words) > MOST_VALUES:
            raise forms.ValidationError(_("at most %s values") % MOST_VALUES)
        for word in words:
            ProhibitNullCharactersValidator()(word)
            if self.known and word not in self.known:
                raise _not_one_of(word, self.known)
        return words


def split_words(texts: Iterable[str], separator: str | None) -> list[str]:
    """The different words of ``texts``, in order, without blanks around them."""
    parts = [part.strip() for text in texts for part in (text.split(separator) if separator else [text])]
    return list(dict.fromkeys(part for part in parts if part))


def _not_one_of(given: object, known: Iterable[str]) -> forms.ValidationError:
    """What was sent is a parameter of the message: within it, a ``%`` would be read as the place of one."""
    told = {"given": given, "known": ", ".join(known)}
    return forms.ValidationError(_("there is no %(given)r; it is one of %(known)s"), params=told)


class AnyOf(django_filters.Filter):
    """Rows whose field is any of the values given."""

    field_class = WordsField

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


class YesOrNoWidget(BooleanWidget):
    """Gives what was sent, so that the field can refuse it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ARG002
        return data.get(name)


class YesOrNoField(forms.NullBooleanField):
    """``true`` or ``false`` in any case, 1 or 0; nothing where it is empty."""

    widget = YesOrNoWidget

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]  # the stubs leave out that empty is None
        word = str(value or "").lower()
        if word not in ("", "true", "false", "1", "0"):
            raise _not_one_of(value, ("true", "false"))
        return None if word == "" else word in ("true", "1")

    def validate(self, value: Any) -> None:
        """Nothing more: :meth:`to_python` has refused what is neither."""


class YesOrNo(django_filters.BooleanFilter):
    """Rows whose field is true, or false; another word is refused."""

    field_class = YesOrNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": YesOrNoWidget, **kwargs})


class AgeField(forms.CharField):
    """How old the newest value may be, such as ``<1d``."""

    def clean(self, value: Any) -> Bound | None:
        return _read(read_age, super().clean(value))


class ShareField(forms.CharField):
    """How many values may be null, such as ``<1%``."""

    def clean(self, value: Any) -> Bound | None:
        return _read(read_share, super().clean(value))


def _read(read: Callable[[str], Bound], text: str) -> Bound | None:
    try:
        return read(text) if text else None
    except ValueError as error:
        raise forms.ValidationError("%(told)s", params={"told": str(error)}) from error


@extend_schema_field(str)
class AgeFilter(django_filters.Filter):
    field_class = AgeField


@extend_schema_field(str)
class ShareFilter(django_filters.Filter):
    field_class = ShareField


# The parameters of which no other values are taken.
KNOWN_VALUES = {
    "data_type": tuple(kind.value for kind in ValueType),
    "status": tuple(Status.values),
    "tier": tuple(tier.value for tier in Tier),
    "sensitivity": tuple(level.value for level in Sensitivity),
}
ORDERINGS = ("name", "group", "data_type", "created_at", "updated_at", "completeness", "newest_event", "reads")
_CHOICES = ("group", "entity", "data_type", "tag", "owner", "status", "tier", "sensitivity")


class FeatureFilter(django_filters.FilterSet):
    """What may be asked of a list of features, for page and API; the search index answers it.

    Every parameter may be repeated or hold names between commas (not owner): any of them fits, of tags all must.
    """

    q = django_filters.CharFilter(label="Words of name, tags, description; tokens such as tag:money or fresh:<1d")
    search = django_filters.CharFilter(label="The same as q")
    group = AnyOf(label="Feature group")
    entity = AnyOf(label="Entity")
    data_type = AnyOf(field_name="default_version__data_type", label="Type", known=KNOWN_VALUES["data_type"])
    tag = AnyOf(field_name="tags__name", label="Tag")
    owner = AnyOf(label="Owner", separator=None)
    status = AnyOf(label="Status", known=KNOWN_VALUES["status"])
    tier = AnyOf(label="Tier", known=KNOWN_VALUES["tier"])
    sensitivity = AnyOf(label="Sensitivity", known=KNOWN_VALUES["sensitivity"])
    fresh = AgeFilter(label="Age of the newest value, such as <1d")
    null = ShareFilter(label="Share of nulls, such as <1%")
    ordering = django_filters.OrderingFilter(fields=[(name, name) for name in ORDERINGS])

    class Meta:
        model = Feature
        fields: ClassVar[list[str]] = []

    def criteria(self, *, user: Reader, needs_version: bool = False, tags: Choice | None = None) -> Criteria:
        """What was asked, words and tokens taken apart.

        :raises InvalidInput: when a parameter or a token cannot be read; the message says which.
        """
        if not self.is_valid():
            told = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.errors.items())
            raise InvalidInput(told, details={"fields": {name: list(texts) for name, texts in self.errors.items()}})
        asked = self.form.cleaned_data
        typed = read_tokens(
            " ".join(text for text in (asked["q"], asked["search"]) if text),
            known=KNOWN_VALUES,
            is_group=lambda name: FeatureGroup.objects.visible_to(user).filter(name=name).exists(),
        )
        chosen = [Choice(name, tuple(asked[name]), is_any=name != "tag") for name in _CHOICES if asked[name]]
        bounds = [asked[name] for name in ("fresh", "null") if asked[name] is not None]
        others = [] if tags is None else [tags]
        return Criteria(
            text=typed.text,
            restrictions=(*chosen, *bounds, *others, *typed.restrictions),
            ordering=tuple(asked["ordering"] or ()),
            needs_version=needs_version,
        )
