"""A plug-in that gives a field type, and a module that needs it: what tests of stores and of plug-ins share."""

from __future__ import annotations

import attrs

from nubetis import Field, Module, hookimpl
from nubetis.model.kinds import BUILT_IN, kind


class Taxes:
    """Gives a field type, and a module whose field has it."""

    TYPE = attrs.evolve(BUILT_IN["text"], name="ruc")

    @hookimpl
    def nubetis_field_types(self):
        return [self.TYPE]

    @hookimpl
    def nubetis_modules(self):
        return [Module(name="firms", fields=[Field(name="name", type=kind("text")), Field(name="tax", type=self.TYPE)])]
