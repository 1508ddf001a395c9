"""Near duplicates without labels: find, explain, group, fuse."""

from nubetis.data.dedupe.find import find_duplicates
from nubetis.data.dedupe.fuse import fuse
from nubetis.data.dedupe.matches import Matches, Pair

__all__ = ["Matches", "Pair", "find_duplicates", "fuse"]
