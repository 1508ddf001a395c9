"""The normal form of bound filters: negations at single tests, nothing nested that need not be."""

from __future__ import annotations

import attrs

from nubetis.model.bind import ALWAYS, NEVER, All, AnyOf, Bound, Linked, Linking, No, Normal, OneOf

__all__ = ["normal_form"]


def normal_form(bound: Bound, *, negated: bool = False) -> Bound:
    """Push every ``No`` down to a single test (negation normal form); flatten and simplify.

    >>> from nubetis.model.bind import Missing
    >>> normal_form(No(All((Missing("a"), Missing("b")))))
    AnyOf(parts=(No(part=Missing(column='a')), No(part=Missing(column='b'))))
    """
    match bound:
        case Normal(part):
            return normal_form(part, negated=True) if negated else part
        case No(part):
            return normal_form(part, negated=not negated)
        case All(parts) | AnyOf(parts):
            kind = All if isinstance(bound, All) is not negated else AnyOf
            return _flat(kind, [normal_form(part, negated=negated) for part in parts])
        case Linked() | Linking():
            inner = attrs.evolve(bound, where=normal_form(bound.where))
            return No(inner) if negated else inner
        case OneOf(values=()):
            return ALWAYS if negated else NEVER
        case _:
            return No(bound) if negated else bound


def _flat(kind: type[All | AnyOf], parts: list[Bound]) -> Bound:
    zero = AnyOf if kind is All else All
    flat: list[Bound] = []
    for part in parts:
        if isinstance(part, kind):
            flat += part.parts
        elif part == zero(()):
            return part
        else:
            flat.append(part)
    unique = tuple(flat) if len(set(map(type, flat))) == len(flat) else tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else kind(unique)
