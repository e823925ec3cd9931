"""Everything in dejafake that knows pictures, vectors and the catalogue; usable as a library.

The HTTP service lives in `search_api`, which imports this package and is never imported by it.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("dejafake")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+uninstalled"
