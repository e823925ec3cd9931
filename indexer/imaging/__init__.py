"""Bytes to a safe picture: decoding with limits, SHA-256 and PDQ, thumbnails, the store of originals, altered copies.

Nothing here knows the catalogue, the detector or where pictures come from.
"""
