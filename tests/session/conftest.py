"""Tests of the door run on each store."""

from tests.stores import hiding, nubetis_store_url, showing, small_chunks

__all__ = ["hiding", "nubetis_store_url", "showing", "small_chunks"]
