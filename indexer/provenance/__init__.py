"""What a picture's own bytes say about where it came from: C2PA manifests, XMP and IPTC, generator metadata.

Findings are read here and stated with what they are worth (cryptographic, self-declared, statistical); nothing here
judges, and nothing is ever fetched.
"""

from indexer.provenance.findings import Finding, Provenance, ProvenanceLimits
from indexer.provenance.reading import read_provenance

__all__ = ["Finding", "Provenance", "ProvenanceLimits", "read_provenance"]
