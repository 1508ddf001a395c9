"""A schema on the way to another: it has what both have, so that who knows either can work meanwhile."""

from __future__ import annotations

import attrs

from nubetis.model.fields import Field, FieldState
from nubetis.model.schema import Module, Schema, SchemaStep, StepKind, diff

__all__ = ["begun_tallies", "begun_twins", "first_steps", "last_steps", "widened"]

_DROPS = frozenset({StepKind.DROP_MODULE, StepKind.PURGE_FIELD})
_TWINS = ("filterable", "searchable")
_MARKS = (*_TWINS, "unique", "indexed")


def widened(old: Schema, new: Schema) -> Schema:
    """Give *new* with all that its modules had in *old*: fields, twins, unique values, tallies.

    What is not wider is the very module of *new*.  Modules that are no more are left out, for a migration leaves
    them alone until a step drops them.

    >>> from nubetis.model.kinds import kind
    >>> old = Schema().with_module(Module(name="pets", fields=[Field(name=n, type=kind("text")) for n in "ab"]))
    >>> new = old.retire_field("pets", "b").purge_field("pets", "b")
    >>> [field.name for field in widened(old, new).module("pets").fields]
    ['a', 'b']
    """
    before = old.by_id
    modules = [_widened(before[each.id], each) if each.id in before else each for each in new.modules]
    return attrs.evolve(new, modules=tuple(modules))


def _widened(old: Module, new: Module) -> Module:
    if old == new:
        return new
    was = {field.id: field for field in old.fields}
    fields = [_marked(was[field.id], field) if field.id in was else field for field in new.fields]
    fields += _kept(old, new)
    wide = attrs.evolve(new, fields=fields)
    kept = [wide.by_id[field.id] for field in _tallied(old) if field.id in wide.by_id]
    tallied = [field.name for field in kept if field.state is FieldState.ACTIVE]
    wide = attrs.evolve(wide, tallied_by=tuple(dict.fromkeys([*new.tallied_by, *tallied])))
    return new if wide == new else wide


def _marked(old: Field, new: Field) -> Field:
    """Give *new* with the marks of *old* by which a store keeps something beside the values."""
    marks = _TWINS if new.state is not old.state else _MARKS  # a retired one has its twins, and no indexes
    return attrs.evolve(new, **{name: getattr(old, name) or getattr(new, name) for name in marks})


def _kept(old: Module, new: Module) -> list[Field]:
    """Give the fields that are no more; of one whose name another has by now only the columns, if they are its own."""
    left, names = {field.id for field in new.fields}, {field.name for field in new.fields}
    columns = {field.column for field in new.fields}
    gone = [field for field in old.fields if field.id not in left and field.column not in columns]
    return [attrs.evolve(field, state=FieldState.RETIRED) if field.name in names else field for field in gone]


def first_steps(old: Schema, wide: Schema) -> list[SchemaStep]:
    """Give the steps from *old* to *wide*, which drop nothing."""
    return [step for step in diff(old, wide) if step.kind not in _DROPS]


def last_steps(old: Schema, new: Schema) -> list[SchemaStep]:
    """Give the steps that are left when the definitions are those of *new*.

    Besides those that drop, they are the ones that began what writers who knew *old* did not keep up: a twin, a tally.
    """
    return [step for step in diff(old, new) if step.kind in _DROPS or begun_twins(step) or begun_tallies(step)]


def begun_twins(step: SchemaStep) -> list[str]:
    """Give the columns that have a twin since *step*, and were there without."""
    field, before = step.field, step.before
    if field is None or before is None:
        return []
    return [field.column_of(part) for part in field.parts if field.has_twin(part) and not before.has_twin(part)]


def begun_tallies(step: SchemaStep) -> list[str]:
    """Give the columns that are tallied since *step*, and were not in the module as it was."""
    if step.was is None:
        return []
    known = {field.column for field in _tallied(step.was)}
    return [field.column for field in _tallied(step.module) if field.column not in known]


def _tallied(module: Module) -> list[Field]:
    return [module.field(name) for name in module.tallied_by]
