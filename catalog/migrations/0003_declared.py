"""What the configuration keeps is marked, so that ``apply`` never deprecates what was made by hand."""

from django.db import migrations, models

KEPT = "Kept by the configuration; what is made by hand is left alone."


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_roles")]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name="declared",
                field=models.BooleanField(default=False, editable=False, help_text=KEPT),
            )
            for model in ("feature", "featuregroup", "featureservice")
        ),
        migrations.AddField(
            model_name="featureversion",
            name="declared_number",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="The version that the configuration named when this was made; empty: made by hand.",
                max_length=20,
            ),
        ),
    ]
