"""The workbench: server-rendered pages, without anything from elsewhere."""
