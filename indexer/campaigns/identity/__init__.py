"""The identity of campaigns across runs: lasting ids, names, binding decisions, and events."""
