"""Reports on campaigns: pages, PDF, JSON, CSV and drawings."""
