"""Web addresses that are compared: the key that all spellings of one have, and the tables it follows."""

from indexer.addresses.key import address_key

__all__ = ["address_key"]
