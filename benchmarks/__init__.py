"""Benchmarks: what the product takes beside other engines, on the same data in the same run."""
