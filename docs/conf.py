"""Sphinx: the pages of this folder as a site with search that works without a network. `make site` builds it."""

from importlib.metadata import version as installed

project = "dejafake"
author = "The dejafake developers"
project_copyright = "The dejafake developers"
version = release = installed("dejafake")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
highlight_language = "text"  # blocks without a language are shell commands and tables
suppress_warnings = ["myst.xref_missing"]  # pages also link to files of the repository, which stay outside

html_theme = "furo"
html_title = "dejafake"
html_favicon = "../search_api/web/static/icon.svg"
html_copy_source = False
html_show_sphinx = False
