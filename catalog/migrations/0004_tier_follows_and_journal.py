"""How far a feature may be relied on, what replaces it, who follows it, and what people noted about it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_declared"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Follow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("note", "note"), ("incident", "incident")], default="note", max_length=20
                    ),
                ),
                ("text", models.TextField(help_text="Markdown.")),
                ("at", models.DateTimeField(db_index=True, help_text="The time that it is about.")),
                ("author", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "closed_at",
                    models.DateTimeField(blank=True, help_text="When an incident ended; empty: it is open.", null=True),
                ),
                ("closed_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name_plural": "journal entries",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.AddField(
            model_name="feature",
            name="replacement",
            field=models.ForeignKey(
                blank=True,
                help_text="What to use instead of it, where it is deprecated or archived.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replaces",
                to="catalog.feature",
            ),
        ),
        migrations.AddField(
            model_name="feature",
            name="tier",
            field=models.CharField(
                choices=[("experimental", "experimental"), ("standard", "standard"), ("certified", "certified")],
                db_index=True,
                default="standard",
                help_text="How far it may be relied on.",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="feature",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("replacement__isnull", True), models.Q(("status", "active"), _negated=True), _connector="OR"
                ),
                name="replacement_of_what_is_not_active",
            ),
        ),
        migrations.AddField(
            model_name="follow",
            name="feature",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="follows",
                to="catalog.feature",
            ),
        ),
        migrations.AddField(
            model_name="follow",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="follows",
                to="catalog.featuregroup",
            ),
        ),
        migrations.AddField(
            model_name="follow",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="follows", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="feature",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="journal",
                to="catalog.feature",
            ),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="journal",
                to="catalog.featuregroup",
            ),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("feature__isnull", False), ("group__isnull", True)),
                    models.Q(("feature__isnull", True), ("group__isnull", False)),
                    _connector="OR",
                ),
                name="follow_of_a_feature_or_a_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.UniqueConstraint(fields=("user", "feature"), name="follow_of_feature_once"),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.UniqueConstraint(fields=("user", "group"), name="follow_of_group_once"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["feature", "-at"], name="journal_of_feature"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["group", "-at"], name="journal_of_group"),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("feature__isnull", False), ("group__isnull", True)),
                    models.Q(("feature__isnull", True), ("group__isnull", False)),
                    _connector="OR",
                ),
                name="entry_on_a_feature_or_a_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="entry_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("closed_at__isnull", True), ("kind", "incident"), _connector="OR"),
                name="only_incidents_are_closed",
            ),
        ),
    ]
