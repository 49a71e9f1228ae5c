"""Which state the online rows of each group are in; groups with rows begin with one."""

import secrets

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def begin(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    groups = apps.get_model("serving", "MaterializedTable").objects.using(alias).values_list("group_id", flat=True)
    revision = apps.get_model("serving", "OnlineRevision")
    revision.objects.using(alias).bulk_create(
        revision(group_id=group_id, revision=secrets.randbits(63)) for group_id in groups
    )


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_declared"),
        ("serving", "0004_partly_renewed"),
    ]

    operations = [
        migrations.CreateModel(
            name="OnlineRevision",
            fields=[
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="online_revision",
                        serialize=False,
                        to="catalog.featuregroup",
                    ),
                ),
                ("revision", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(begin, migrations.RunPython.noop, elidable=True),
    ]
