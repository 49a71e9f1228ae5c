"""Putting a training dataset away: it stays as a record of what a model was trained on, without giving values."""

from __future__ import annotations

from django.db import transaction

from catalog.access import Capability, Reader, may
from catalog.audit import record, snapshot
from catalog.clock import now
from catalog.errors import PermissionDenied
from catalog.wording import gettext as _
from serving.datasets.requesting import AUDITED
from serving.models import TrainingDataset


def may_archive(dataset: TrainingDataset, *, user: Reader) -> bool:
    """Those who made it may, and those who edit the catalog."""
    return (user.is_authenticated and dataset.user_id == user.pk) or may(user, Capability.EDIT_CATALOG)


def archive_dataset(dataset: TrainingDataset, *, user: Reader) -> TrainingDataset:
    """Archive the dataset; again, it changes nothing. Its files stay, and nobody is given them.

    :raises PermissionDenied: unless ``user`` made it or may edit the catalog.
    """
    if not may_archive(dataset, user=user):
        raise PermissionDenied(
            _("a training dataset is archived by the one who made it, or by those with the capability edit_catalog")
        )
    with transaction.atomic():
        locked = TrainingDataset.objects.select_for_update().get(pk=dataset.pk)
        if locked.archived_at is None:
            before = snapshot(locked, AUDITED)
            locked.archived_at = now()
            locked.save(update_fields=["archived_at"])
            record(action="archive", instance=locked, before=before, after=snapshot(locked, AUDITED))
    return locked
