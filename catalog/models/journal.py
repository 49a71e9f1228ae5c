from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.feature import Feature
from catalog.models.fields import StampedField
from catalog.models.group import FeatureGroup
from catalog.models.subject import ABOUT_ONE, SubjectQuerySet


class EntryKind(models.TextChoices):
    NOTE = "note", _("note")
    INCIDENT = "incident", _("incident")


class JournalQuerySet(SubjectQuerySet):
    def open_incidents(self) -> JournalQuerySet:
        """The incidents that nobody has closed."""
        return self.filter(kind=EntryKind.INCIDENT, closed_at__isnull=True)


class JournalEntry(models.Model):
    """A dated note of a person on a feature or a feature group. An incident is open until it is closed."""

    feature = models.ForeignKey(Feature, null=True, blank=True, on_delete=models.CASCADE, related_name="journal")
    group = models.ForeignKey(FeatureGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="journal")
    kind = models.CharField(max_length=20, choices=EntryKind.choices, default=EntryKind.NOTE)
    text = models.TextField(help_text="Markdown.")
    at = models.DateTimeField(db_index=True, help_text="The time that it is about.")
    author = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = StampedField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When an incident ended; empty: it is open.")
    closed_by = models.CharField(max_length=200, blank=True)

    objects = JournalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name_plural = "journal entries"
        indexes: ClassVar = [
            models.Index(fields=["feature", "-at"], name="journal_of_feature"),
            models.Index(fields=["group", "-at"], name="journal_of_group"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=ABOUT_ONE, name="entry_on_a_feature_or_a_group"),
            models.CheckConstraint(condition=~Q(text=""), name="entry_says_something"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(kind=EntryKind.INCIDENT), name="only_incidents_are_closed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.feature or self.group} at {self.at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether it is an incident that nobody has closed."""
        return self.kind == EntryKind.INCIDENT and self.closed_at is None
