"""A seeded generator of the warehouse that step 6 of the churn pipeline leaves, with daily history."""

from ingestion.demo_warehouse.growing import WarehouseDay, grow_demo_warehouse
from ingestion.demo_warehouse.next_run import add_day
from ingestion.demo_warehouse.write import DemoWarehouse, make_demo_warehouse

__all__ = ["DemoWarehouse", "WarehouseDay", "add_day", "grow_demo_warehouse", "make_demo_warehouse"]
