"""The HTTP API and its pages: a thin layer over `indexer`, which it imports and which never imports it."""
