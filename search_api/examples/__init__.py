"""The examples of the OpenAPI document: `recorded.json`, written by `python -m search_api.examples`."""
