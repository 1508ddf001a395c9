"""Rows of modules, written by field: what tests of plans, journals and records begin with."""

from __future__ import annotations

from nubetis.model.schema import ID, VERSION


def row_of(module, key, /, version=1, **values):
    """Give the stored row of a record of *module*; what is not named is empty."""
    row = [None] * len(module.layout.columns)
    row[ID], row[VERSION] = key, version
    for name, value in values.items():
        slot = module.layout.slots[name]
        row[slot.start : slot.stop] = slot.field.pack(slot.field.check(value))
    return tuple(row)


def with_cell(row, place, value):
    """Give *row* with another value at *place*."""
    return (*row[:place], value, *row[place + 1 :])


def another(value):
    """Give a stored value of the same kind that is not *value*."""
    match value:
        case None:
            return 1
        case bool() | int():
            return value + 1
        case bytes():
            return value + b"x"
        case _:
            return f"{value}x"
