"""Two pictures compared by their local features: do they lie alike, and is it the same picture or a part of it?

`verifying` does it, and imports OpenCV.
"""

from indexer.copies.verification.overlap import Box, Homography, Overlap

__all__ = ["Box", "Homography", "Overlap"]
