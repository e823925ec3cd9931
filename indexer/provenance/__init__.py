"""What a picture file says about its own origin:

C2PA manifests, XMP and IPTC, generator metadata. Each finding states its worth (cryptographic, self-declared,
statistical). Nothing here judges a picture, and nothing is ever fetched.
"""

from indexer.provenance.findings import Finding, Provenance, ProvenanceLimits
from indexer.provenance.reading import read_provenance

__all__ = ["Finding", "Provenance", "ProvenanceLimits", "read_provenance"]
