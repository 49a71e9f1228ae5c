import django.db.models.deletion
from django.db import migrations, models

import serving.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_declared"),
        ("serving", "0002_training_dataset"),
    ]

    operations = [
        migrations.AlterField(
            model_name="featurevalue",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="online_rows",
                to="catalog.featuregroup",
            ),
        ),
        migrations.AlterField(
            model_name="featurevalue",
            name="values",
            field=serving.models.fields.DocumentField(),
        ),
    ]
