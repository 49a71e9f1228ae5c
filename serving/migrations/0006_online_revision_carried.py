"""Which state of an online store outside of the database a group's rows were carried into."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("serving", "0005_online_revisions"),
    ]

    operations = [
        migrations.AddField(
            model_name="materializedtable",
            name="online_revision",
            field=models.BigIntegerField(
                blank=True,
                help_text="Revision of the rows in an online store outside of the database; none for rows in it.",
                null=True,
            ),
        ),
    ]
