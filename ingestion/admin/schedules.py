"""The schedules of django-celery-beat: its own admin, opened by capability and audited."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from catalog.access import Capability
from catalog.admin.audited import AuditedAdmin, described
from catalog.audit import record


class _ScheduleTasks(beat.PeriodicTaskInline):
    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True  # as the schedule itself


class _Scheduling(AuditedAdmin):
    view_capability = Capability.RUN_INGESTION
    unaudited = ("last_run_at", "total_run_count", "date_changed")
    formfield_overrides: ClassVar = {}
    kept_because = "Periodic tasks run by it."


class ScheduleAdmin(_Scheduling):
    inlines = (_ScheduleTasks,)


class CrontabAdmin(ScheduleAdmin):
    list_display = ("__str__", "human_readable")
    fields = ("human_readable", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    readonly_fields = ("human_readable",)


class ScheduledTaskAdmin(_Scheduling, beat.PeriodicTaskAdmin):
    """What runs when. Turning a task off here stays until the configuration declares another schedule for it."""

    # The package's own page writes a script into the page, which the content security policy refuses.
    change_form_template = "admin/change_form.html"
    list_display = ("name", "enabled", "scheduler", "task", "last_run_at", "total_run_count")
    list_filter = ("enabled", "one_off", "task")
    date_hierarchy = None
    actions = ("enable_tasks", "disable_tasks", "run_tasks")

    @admin.action(description="Enable", permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        with transaction.atomic():
            before = {task.pk: described(task, without=self.unaudited) for task in queryset}
            super().enable_tasks(request, queryset)
            self._record_switched(before)

    @admin.action(description="Disable", permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        with transaction.atomic():
            before = {task.pk: described(task, without=self.unaudited) for task in queryset}
            super().disable_tasks(request, queryset)
            self._record_switched(before)

    @admin.action(description="Run now", permissions=["run"])
    def run_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        super().run_tasks(request, queryset)

    def _record_switched(self, before: dict[int, dict[str, object]]) -> None:
        for task in PeriodicTask.objects.filter(pk__in=before):
            after = described(task, without=self.unaudited)
            record(action="update", instance=task, before=before[task.pk], after=after)


admin.site.unregister([PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule])
admin.site.register(PeriodicTask, ScheduledTaskAdmin)
admin.site.register(CrontabSchedule, CrontabAdmin)
admin.site.register([IntervalSchedule, SolarSchedule, ClockedSchedule], ScheduleAdmin)
