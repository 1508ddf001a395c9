"""Tests of the door run on each store."""

from tests.stores import nubetis_store_url, small_chunks

__all__ = ["nubetis_store_url", "small_chunks"]
