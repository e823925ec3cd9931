"""Parts of `benchmarks.extraction`."""
