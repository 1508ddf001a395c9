"""Tables from files: read, clean, find duplicates, merge, map to fields, write; records in and out, and merged."""

from nubetis.data.cells import Cell
from nubetis.data.clean import DEFAULT, Changed, Cleaner, Recipe, Report, Step
from nubetis.data.dedupe import Matches, Pair
from nubetis.data.detect import Detected, Evidence
from nubetis.data.export import Manifest, export, export_fields
from nubetis.data.files import BUILT_IN, Batch, FileFormat, FileFormats, Hints, Source
from nubetis.data.load import LoadReport, apply_load, fitting_map, load, map_table, plan_links, plan_load
from nubetis.data.mapping import FieldMap, Mapped, map_columns
from nubetis.data.merge import Survivor, best_master, merge, plan_merge, side_by_side
from nubetis.data.profile import ColumnKind, Profile, profile_columns
from nubetis.data.quality import FieldFigures, ModuleFigures, Remark, SchemaReport, lint_schema
from nubetis.data.rejected import Rejected
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
    "FieldFigures",
    "FieldMap",
    "FileFormat",
    "FileFormats",
    "Hints",
    "LoadReport",
    "Manifest",
    "Mapped",
    "Matches",
    "ModuleFigures",
    "Pair",
    "Profile",
    "Recipe",
    "Rejected",
    "Remark",
    "Report",
    "SchemaReport",
    "Source",
    "Step",
    "Survivor",
    "Table",
    "apply_load",
    "best_master",
    "export",
    "export_fields",
    "fitting_map",
    "lint_schema",
    "load",
    "map_columns",
    "map_table",
    "merge",
    "plan_links",
    "plan_load",
    "plan_merge",
    "profile_columns",
    "read",
    "side_by_side",
]
