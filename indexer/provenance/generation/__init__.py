"""What image generators write into their pictures: one module a family, one that knows all their marks.

All of it is text that anyone can write: self-declared, whatever it says.
"""

from indexer.provenance.generation.marks import Words, read_generations

__all__ = ["Words", "read_generations"]
