"""Whether rows that were being made anew were broken off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("serving", "0003_online_documents"),
    ]

    operations = [
        migrations.AddField(
            model_name="materializedtable",
            name="is_partly_renewed",
            field=models.BooleanField(
                default=False, help_text="Rows are made anew in several transactions, and not all of them are yet."
            ),
        ),
    ]
