"""How benchmarks report: rows, checks with their aims, plots."""
