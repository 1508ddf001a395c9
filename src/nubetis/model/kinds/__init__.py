"""The built-in field types, one file a family."""

from nubetis.model.kinds.choices import pack_set
from nubetis.model.kinds.files import FileRef
from nubetis.model.kinds.numbers import check_decimal
from nubetis.model.kinds.registry import BUILT_IN, kind
from nubetis.model.kinds.structured import Address, PersonName
from nubetis.model.kinds.times import WallTime, instant, instant_text

__all__ = [
    "BUILT_IN",
    "Address",
    "FileRef",
    "PersonName",
    "WallTime",
    "check_decimal",
    "instant",
    "instant_text",
    "kind",
    "pack_set",
]
