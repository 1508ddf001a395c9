"""Tables from files: read, clean, find duplicates, merge, map to fields, write."""

from nubetis.data.cells import Cell
from nubetis.data.clean import DEFAULT, Changed, Cleaner, Recipe, Report, Step
from nubetis.data.dedupe import Matches, Pair
from nubetis.data.detect import Detected, Evidence
from nubetis.data.files import BUILT_IN, Batch, FileFormat, FileFormats, Hints, Source
from nubetis.data.mapping import FieldMap, Mapped, map_columns
from nubetis.data.profile import ColumnKind, Profile, profile_columns
from nubetis.data.table import Table, read

__all__ = [
    "BUILT_IN",
    "DEFAULT",
    "Batch",
    "Cell",
    "Changed",
    "Cleaner",
    "ColumnKind",
    "Detected",
    "Evidence",
    "FieldMap",
    "FileFormat",
    "FileFormats",
    "Hints",
    "Mapped",
    "Matches",
    "Pair",
    "Profile",
    "Recipe",
    "Report",
    "Source",
    "Step",
    "Table",
    "map_columns",
    "profile_columns",
    "read",
]
