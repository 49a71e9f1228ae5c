"""Training datasets: stored, reproducible results of historical reads, with everything pinned."""
