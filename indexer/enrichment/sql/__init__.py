"""Enrichment of SQL tables: reads a table in pages and continues where an earlier run stopped."""
