"""How far the demo is that the home page was asked to load."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0004_rule_results_of_rule"),
    ]

    operations = [
        migrations.CreateModel(
            name="DemoLoad",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=20,
                    ),
                ),
                ("requested_by", models.CharField(max_length=200)),
                ("days", models.PositiveIntegerField(default=0, help_text="Days of the demo to live through.")),
                ("done", models.PositiveIntegerField(default=0, help_text="Days that are over.")),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="When its worker last gave a sign of life.")),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
    ]
