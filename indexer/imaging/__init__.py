"""From bytes to a safe picture: decoding within limits, SHA-256 and PDQ, thumbnails, altered copies.

Nothing here depends on the catalogue, the detector or the sources.
"""
