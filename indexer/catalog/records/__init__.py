"""Frozen records that the catalogue takes and gives."""
