"""The pages, one module each.

A module here needs `router`, an APIRouter with `include_in_schema=False`. It may have `NAV`, its entry in the header,
and `SEARCH`, what the header's search field finds on it. `search_api.web.site` collects them; nothing else lists the
pages.
"""
