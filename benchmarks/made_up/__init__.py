"""Made-up data for benchmarks: catalogues, embeddings, campaigns, edits, watermarks and weights."""
