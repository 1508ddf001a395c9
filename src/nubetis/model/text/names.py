"""What the names in a filter's text mean: fields, choices and modules, by API name or by label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, TypeAlias

import attrs

from nubetis.errors import InvalidFilter
from nubetis.model.bind import Viewpoint
from nubetis.model.columns import find_column
from nubetis.model.fields import Choice, Field, Part
from nubetis.model.fold import fold_text
from nubetis.model.formats import Formats
from nubetis.model.nearest import suggest
from nubetis.model.schema import Module, Schema
from nubetis.model.text.tokens import Kind, Token

__all__ = ["Names", "Place", "Readable", "at_span"]

Place: TypeAlias = tuple[Field, Part]
"""The field that a path names, and the part of it."""

Readable: TypeAlias = Callable[[Module, Field], bool]
"""Says whether the reader may know of a field."""

_LONGEST: Final = 60
"""Longer names are not looked for; nothing has one."""
_NEVER: Final = datetime(2020, 1, 1, tzinfo=UTC)


def at_span(error: InvalidFilter, start: int, end: int) -> InvalidFilter:
    """Give *error* with its place in the text."""
    return InvalidFilter(error.code, **{**error.params, "position": start, "end": end})


@attrs.define
class Names:
    """Resolves the names of one module, or leaves them as they are where there is none.

    With *formats*, labels are understood as well, in any case, without accents, of several words too.
    """

    module: Module | None
    schema: Schema | None
    formats: Formats | None
    readable: Readable
    _places: dict[str, Place] = attrs.field(factory=dict, init=False)
    _labels: dict[str, dict[str, str]] = attrs.field(factory=dict, init=False)

    def of(self, module: str) -> Names:
        """Give the names of another module; of none where the schema is not known."""
        there = None if self.schema is None else self.schema.module(module)
        return Names(there, self.schema, self.formats, self.readable)

    @cached_property
    def _view(self) -> Viewpoint:
        return Viewpoint(now=_NEVER, readable=self.readable)

    # fields -----------------------------------------------------------------------------------
    def path(self, tokens: Sequence[Token]) -> str:
        """Give the path that *tokens* name, by label or as it stands."""
        said = " ".join([token.text for token in tokens])
        labels = self._field_labels() if self.formats is not None else {}
        if len(said) > _LONGEST or not labels:
            return said
        name, dot, part = said.partition(".")
        return labels.get(fold_text(said)) or f"{labels.get(fold_text(name), name)}{dot}{part}"

    def place(self, path: str, tokens: Sequence[Token]) -> Place | None:
        """Give the field of *path*, ``None`` where no module is known.

        Raises:
            InvalidFilter: ``unknown_field``, with the span of *tokens*.
        """
        if self.module is None:
            return None
        if path not in self._places:
            try:
                self._places[path] = find_column(self.module, path[:_LONGEST], self._view)
            except InvalidFilter as error:
                raise at_span(error, tokens[0].start, tokens[-1].end) from None
        return self._places[path]

    def knows(self, word: str) -> bool:
        """Say whether *word* is the name, or the label, of a field of which the reader may know."""
        if self.module is None or len(word) > _LONGEST:
            return False
        slot = self.module.layout.slots.get(word)
        if slot is not None:
            return self.readable(self.module, slot.field)
        return self.formats is not None and fold_text(word) in self._field_labels()

    def label_length(self, tokens: Sequence[Token]) -> int:
        """Give how many of *tokens* make the longest label of a field; 0 for none."""
        return _longest(self._field_labels(), tokens) if self.formats is not None else 0

    def _field_labels(self) -> Mapping[str, str]:
        if self.module is None:
            return {}
        if "" not in self._labels:
            fields = [slot.field for slot in self.module.layout.slots.values()]
            seen = [field for field in fields if self.readable(self.module, field)]
            self._labels[""] = {fold_text(field.label): str(field.name) for field in seen}
        return self._labels[""]

    # choices ----------------------------------------------------------------------------------
    def choice_length(self, field: Field, tokens: Sequence[Token]) -> int:
        """Give how many of *tokens* make the longest label of a choice; 1 where labels do not count."""
        return max(1, _longest(self._choice_labels(field), tokens)) if self.formats is not None else 1

    def choice(self, field: Field, tokens: Sequence[Token]) -> str:
        """Give the value of the choice that *tokens* name.

        Raises:
            InvalidFilter: ``unknown_choice``, with the span of *tokens* and a ``hint``.
        """
        said = " ".join([token.text for token in tokens])
        labels = self._choice_labels(field) if self.formats is not None else {}
        value = labels.get(fold_text(said[:_LONGEST]), said)
        known = field.choice_values()
        if not known or value in known:
            return value
        hint = suggest(said[:_LONGEST], {*known, *[choice.label for choice in field.choices if choice.label]})
        params = {"field": field.name, "choices": ", ".join(known), "hint": hint}
        raise at_span(InvalidFilter("unknown_choice", **params), tokens[0].start, tokens[-1].end)

    def _choice_labels(self, field: Field) -> Mapping[str, str]:
        if field.name not in self._labels:
            self._labels[field.name] = {_fold_choice(choice): choice.value for choice in field.choices}
        return self._labels[field.name]

    # modules ----------------------------------------------------------------------------------
    def module_name(self, token: Token) -> str:
        """Give the API name of the module that *token* names.

        Raises:
            InvalidFilter: ``unknown_module``, with the span.
        """
        if self.schema is None or token.text in self.schema:
            return token.text
        labels = {fold_text(module.label): str(module.name) for module in self.schema.modules}
        found = labels.get(fold_text(token.text[:_LONGEST])) if self.formats is not None else None
        if found is None:
            names = [str(module.name) for module in self.schema.modules]
            name = token.text[:_LONGEST]
            unknown = InvalidFilter("unknown_module", module=name, hint=suggest(name, names))
            raise at_span(unknown, token.start, token.end)
        return found


def _fold_choice(choice: Choice) -> str:
    return fold_text(choice.label or choice.value)


def _longest(labels: Iterable[str], tokens: Sequence[Token]) -> int:
    """Give how many of the words at the beginning of *tokens* make the longest of *labels*."""
    most = max((label.count(" ") + 1 for label in labels), default=0)
    words: list[str] = []
    for token in tokens[:most]:
        if token.kind is not Kind.WORD:
            break
        words.append(token.text[:_LONGEST])
    return next((size for size in range(len(words), 0, -1) if fold_text(" ".join(words[:size])) in labels), 0)
