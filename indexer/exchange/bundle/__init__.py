"""A catalogue, or a part of it, as one file: for desks without a network and for sharing between newsrooms.

The file is a zip of JSON Lines, safetensors and a manifest with the SHA-256 of each. It holds no originals.
"""

from indexer.exchange.bundle.importing import BundleImport, import_bundle
from indexer.exchange.bundle.reading import open_bundle
from indexer.exchange.bundle.writing import BundleExport, export_bundle

__all__ = ["BundleExport", "BundleImport", "export_bundle", "import_bundle", "open_bundle"]
