"""STIX 2.1 bundles (OASIS, "STIX Version 2.1"). Needs the optional part `exchange`; import `writing` only with it."""
