"""Training of a small detector to be bundled as `dejafake-small`: `python -m indexer.detector.training`.

Needs the `train` extra, the photographs of Debian packages (`photographs`) and a manifest of machine-made pictures. Not
imported by anything else of dejafake.
"""
