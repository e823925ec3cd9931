"""What image generators write into their pictures: one module per family, and one that recognises them all.

Anyone can write such text, so every finding is self-declared.
"""

from indexer.provenance.generation.marks import Words, read_generations

__all__ = ["Words", "read_generations"]
