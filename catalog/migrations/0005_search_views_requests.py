"""What search has yet to take over, views that people keep, and features that they ask for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import catalog.models.search_change


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_tier_follows_and_journal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("nonce", models.BigIntegerField(default=catalog.models.search_change.random_nonce)),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("feature_id", models.BigIntegerField(blank=True, null=True)),
                ("group_id", models.BigIntegerField(blank=True, null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slug",
                    models.SlugField(help_text="The name in addresses: /search?view=…", max_length=60, unique=True),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "query",
                    models.CharField(
                        blank=True, help_text="The parameters of the search, as in its address.", max_length=2000
                    ),
                ),
                (
                    "is_shared",
                    models.BooleanField(default=False, help_text="Whether others may open it; else only who made it."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="FeatureRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wanted", models.CharField(help_text="What is looked for, in a few words.", max_length=200)),
                ("reason", models.TextField(blank=True, help_text="What for, from which data, how fresh.")),
                ("query", models.CharField(blank=True, help_text="The search that found nothing.", max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("fulfilled", "fulfilled"), ("declined", "declined")],
                        db_index=True,
                        default="open",
                        max_length=20,
                    ),
                ),
                ("answer", models.TextField(blank=True)),
                ("answered_by", models.CharField(blank=True, max_length=200)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "feature",
                    models.ForeignKey(
                        blank=True,
                        help_text="The feature that fulfils it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="requests",
                        to="catalog.feature",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feature_requests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="request_answered_when_not_open",
                    )
                ],
            },
        ),
    ]
