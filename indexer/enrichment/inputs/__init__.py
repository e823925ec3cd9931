"""The inputs of `dejafake enrich`, read and written again with answers: tables, folders, archives and fact-checks."""
