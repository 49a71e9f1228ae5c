"""The lineage around one thing as a page shows it: narrowed, with what is wrong where, small enough to read."""
