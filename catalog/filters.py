"""The one filter set of features, for the page and the API alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django_filters.widgets import BooleanWidget

from catalog.models import Feature
from catalog.models.feature import FeatureQuerySet
from catalog.search import ranked_by, tagged

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
            raise forms.ValidationError(f"at most {MOST_VALUES} values")
        for word in words:
            ProhibitNullCharactersValidator()(word)
            if self.known and word not in self.known:
                raise forms.ValidationError(f"there is no {word!r}; it is one of {', '.join(self.known)}")
        return words


def split_words(texts: Iterable[str], separator: str | None) -> list[str]:
    """The different words of ``texts``, in order, without blanks around them."""
    parts = [part.strip() for text in texts for part in (text.split(separator) if separator else [text])]
    return list(dict.fromkeys(part for part in parts if part))


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
            raise forms.ValidationError(f"there is no {value!r}; it is one of true, false")
        return None if word == "" else word in ("true", "1")

    def validate(self, value: Any) -> None:
        """Nothing more: :meth:`to_python` has refused what is neither."""


class YesOrNo(django_filters.BooleanFilter):
    """Rows whose field is true, or false; another word is refused."""

    field_class = YesOrNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": YesOrNoWidget, **kwargs})


class StableOrdering(django_filters.OrderingFilter):
    """Rows that are equal in what is ordered by keep one order, so that pages neither repeat nor lose any."""

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        ordered: QuerySet[Any] = super().filter(qs, value)
        return ordered.order_by(*ordered.query.order_by, "name", "pk") if value else ordered


class FeatureFilter(django_filters.FilterSet):
    """Every parameter may be repeated or hold names between commas (not owner): any of them fits, of tags all must."""

    q = django_filters.CharFilter(method="words", label="Words of name, tags, description")
    search = django_filters.CharFilter(method="words", label="The same as q")
    group = AnyOf(field_name="group__name", label="Feature group")
    entity = AnyOf(field_name="entity__name", label="Entity")
    data_type = AnyOf(field_name="default_version__data_type", label="Type")
    tag = AnyOf(field_name="tags__name", method="with_tags", label="Tag")
    owner = AnyOf(field_name="owner", method="owned_by", label="Owner", separator=None)
    status = AnyOf(field_name="status", label="Status")
    sensitivity = AnyOf(field_name="sensitivity", method="with_sensitivity", label="Sensitivity")
    ordering = StableOrdering(
        fields=(
            ("name", "name"),
            ("group__name", "group"),
            ("default_version__data_type", "data_type"),
            ("created_at", "created_at"),
            ("updated_at", "updated_at"),
            ("default_version__latest_profile__completeness", "completeness"),
            ("default_version__latest_profile__newest_event", "newest_event"),
        ),
    )

    class Meta:
        model = Feature
        fields: ClassVar = ["group", "entity", "data_type", "tag", "owner", "status", "sensitivity"]

    def words(self, queryset: FeatureQuerySet, name: str, value: str) -> FeatureQuerySet:  # noqa: ARG002
        return ranked_by(queryset, value)

    def with_tags(self, queryset: FeatureQuerySet, name: str, value: list[str]) -> FeatureQuerySet:  # noqa: ARG002
        return tagged(queryset, tags=value, match="all")

    def owned_by(self, queryset: FeatureQuerySet, name: str, value: list[str]) -> FeatureQuerySet:  # noqa: ARG002
        return queryset.filter(Q(owner__in=value) | Q(owner="", group__owner__in=value))

    def with_sensitivity(self, queryset: FeatureQuerySet, name: str, value: list[str]) -> FeatureQuerySet:  # noqa: ARG002
        return queryset.filter(Q(sensitivity__in=value) | Q(sensitivity="", group__sensitivity__in=value))


def with_effective_fields(features: FeatureQuerySet) -> FeatureQuerySet:
    """With the owner and the sensitivity that hold: the feature's own, or its group's."""
    return features.annotate(
        owner_in_force=Coalesce(NullIf(F("owner"), Value("")), F("group__owner")),
        sensitivity_in_force=Coalesce(NullIf(F("sensitivity"), Value("")), F("group__sensitivity")),
    )
