"""What a picture's own bytes say about where it came from: C2PA manifests, XMP and IPTC, generator metadata.

Findings are read here and stated with what they are worth (cryptographic, self-declared); nothing here judges.
"""
