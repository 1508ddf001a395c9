"""Non-interference: two worlds that differ only in what a user may not see give him the same answers, byte for byte.

A seed makes two organisations (:mod:`~nubetis.testing.access_contract.twins`) and a row of calls
(:mod:`~nubetis.testing.access_contract.calls`), with what others write meanwhile.  Answers are compared as texts:
records, plans, errors with their parameters and sentences in each language, files.  What is told on purpose stands in
:data:`LEAKS` with its reason, and nowhere else; such a call is counted, and the rest of its row is left out.

A difference is made again by its seed alone, and :func:`shrunk` finds the fewest calls that lead to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack, closing
from random import Random
from typing import Final, cast

import attrs

from nubetis.errors import NubetisError
from nubetis.i18n import LANGUAGES, render
from nubetis.model.fields import Field
from nubetis.model.filters import Filter
from nubetis.model.plan import Plan
from nubetis.model.query import Page
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema
from nubetis.session import Session
from nubetis.testing.access_contract.calls import CALLS
from nubetis.testing.access_contract.draws import Draw
from nubetis.testing.access_contract.twins import Twin, make_twin

__all__ = ["LEAKS", "Compared", "Difference", "alike", "compared", "shrunk", "told"]

LEAKS: Final[Mapping[str, str]] = {
    "not_unique": "two records with one value would be worse; the field is one that the user may read",
    "out_of_sight": "what is restored must keep what is unique and breaks no link: the module, and nothing else",
    "legal_hold": "a hold that asks for a hidden field stands, whoever would erase",
    "held_by": "who is to erase must know that a hold stands against it, and of whom to ask",
    "explain_for": "the decision itself, where a rule on a hidden field gives another a record",
    "who_can": "the same",
    "as_user": "the same: what that other sees",
}
"""The codes that answers may differ by, or the roads, and why; ``docs/decisions/leaks.md`` has them in words."""
_DECISIONS: Final = ("explain_for", "who_can", "as_user")
_BY_VALUES: Final = re.compile(r"True\W+Reason.CRITERIA")
"""The step of an explanation by which a rule on values gives the record."""


@attrs.frozen(kw_only=True)
class Difference:
    """A call of a seed, by its *number* and the *name* of its road, that the two worlds have answered otherwise."""

    seed: int
    number: int
    name: str
    answers: tuple[str, str]

    def __str__(self) -> str:
        one, other = self.answers
        at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1), 0)
        around = [f"…{each[max(0, at - 300) : at + 300]}…" for each in self.answers]
        return f"seed {self.seed}, call {self.number}, {self.name}:\n  {around[0]}\n  {around[1]}"


@attrs.frozen(kw_only=True)
class Compared:
    """What was seen of a seed: how many *calls*, by road; the *leaks* that were met; and a *difference*, if any."""

    calls: Counter[str]
    leaks: Counter[str]
    difference: Difference | None = None


def alike(url_of: Callable[[str], str], seed: int, *, calls: int = 80) -> Compared:
    """Make two worlds of *seed* at the URLs that *url_of* gives for names, and so many calls; all are answered alike.

    >>> from nubetis.backends.memory import forget_memory
    >>> sum(alike("memory://{}".format, 1, calls=5).calls.values())
    5
    >>> for name in ("twin-1-0", "twin-1-1"): forget_memory(f"memory://{name}")

    Raises:
        AssertionError: one is not; the text has the seed, and the calls that lead there.
    """
    found = compared(url_of, seed, range(calls))
    if found.difference is None:
        return found
    least = shrunk(url_of, seed, range(found.difference.number + 1))
    raise AssertionError(f"{found.difference}\n  by the calls {least}")


def compared(
    url_of: Callable[[str], str], seed: int, numbers: Iterable[int], *, plugins: Iterable[object] = ()
) -> Compared:
    """Make the calls with these *numbers* in both worlds of *seed*, until an answer differs."""
    calls, leaks = Counter[str](), Counter[str]()
    with ExitStack() as stack:
        twins = [
            stack.enter_context(closing(make_twin(url_of(f"twin-{seed}-{side}"), seed, side, plugins=plugins)))
            for side in (0, 1)
        ]
        for number in numbers:
            name, one, other = _called(twins, seed, number)
            calls[name] += 1
            if one != other:
                leak = _leak(twins[0], name, one + other)
                if leak is None:
                    found = Difference(seed=seed, number=number, name=name, answers=(one, other))
                    return Compared(calls=calls, leaks=leaks, difference=found)
                leaks[leak] += 1
                break
    return Compared(calls=calls, leaks=leaks)


_OFTEN: Final = (
    "find", "find", "find", "aggregate", "count", "apply", "apply", "apply", "edit", "create", "undo", "undo",
    "history", "history", "history", "as_of", "module_as_of", "plan_update", "plan_edits", "plan_merge", "preview",
    "explain_for", "explain_for", "export", "explain", "unit", "restore", "delete",
)  # fmt: skip
_WEIGHTED: Final = (*sorted(CALLS), *_OFTEN)


def _called(twins: Iterable[Twin], seed: int, number: int) -> tuple[str, str, str]:
    """Make one call in both worlds; give its name and the two answers."""
    name = Random(f"{seed} {number}").choice(_WEIGHTED)
    one, other = [_answer(each, seed, number, name) for each in twins]
    return name, one, other


def _answer(twin: Twin, seed: int, number: int, name: str) -> str:
    twin.common.seed(f"moves {seed} {number}")
    draw = Draw(twin, Random(f"call {seed} {number}"))
    if number % 3 == 0:
        twin.move()
    try:
        return told(CALLS[name](draw))
    except NubetisError as error:
        return told(error)
    finally:
        twin.tick()


def _leak(twin: Twin, name: str, said: str) -> str | None:
    """Give what is told on purpose, where one of the answers says it."""
    if name in _DECISIONS and twin.ruled and (name != "explain_for" or _BY_VALUES.search(said)):
        return name
    words = {name, *re.findall(r"\w+", said)}
    return next((each for each in LEAKS if each in words and each not in _DECISIONS), None)


def shrunk(url_of: Callable[[str], str], seed: int, numbers: Collection[int]) -> list[int]:
    """Give the fewest of the calls with these *numbers* after which the last one is answered otherwise."""
    least = list(numbers)
    step = max(1, len(least) // 2)
    while step:
        for start in range(len(least) - 1, -1, -step):
            fewer = [each for at, each in enumerate(least) if not start <= at < start + step or at == len(least) - 1]
            if len(fewer) < len(least) and compared(_anew(url_of), seed, fewer).difference is not None:
                least = fewer
        step //= 2
    return least


_made = Counter[str]()


def _anew(url_of: Callable[[str], str]) -> Callable[[str], str]:
    """Give other URLs each time."""
    _made["urls"] += 1
    return lambda name: url_of(f"{name}-{_made['urls']}")


# -- answers as texts -------------------------------------------------------------------------------------------------
def told(answer: object) -> str:
    """Give all that an answer says, as one text."""
    match answer:
        case NubetisError():
            return _error(answer)
        case Record():
            return f"{answer!r} {dict(answer)!r} {answer.row!r}"
        case Page():
            place = answer.next, answer.previous, answer.total, answer.filter, answer.sort
            return f"{list(map(told, answer))} {place!r}"
        case Plan():
            return _plan(answer)
        case _:
            return _parts(answer)


def _parts(answer: object) -> str:
    match answer:
        case Mapping():
            return repr({key: told(value) for key, value in answer.items()})
        case set() | frozenset():
            return repr(sorted(map(told, answer)))
        case list() | tuple():
            return repr(list(map(told, answer)))
        case _ if not isinstance(answer, _WHOLE) and attrs.has(type(answer)):
            values = [
                told(getattr(answer, each))
                for each in attrs.fields_dict(cast("type[attrs.AttrsInstance]", type(answer)))
            ]
            return f"{type(answer).__name__} {values}"
        case _:
            return repr(answer)


_WHOLE: Final = (Session, Module, Schema, Field, Filter)
"""Values of which their own words say everything, or all that they may."""


def _error(error: NubetisError) -> str:
    more = [getattr(error, name, None) for name in ("mine", "theirs", "refusals", "__notes__")]
    texts = [str(error), *[render(error, each) for each in LANGUAGES]]
    return repr((type(error).__name__, error.code, told(error.params), texts, told(more)))


def _plan(plan: Plan) -> str:
    seen = [
        plan.schema.module(part.module.name).layout.slots.keys()
        for part in plan.parts
        if part.module.name in plan.schema
    ]
    parts = [
        str(plan),
        plan.digest,
        told(list(plan.changes)),
        told(plan.refusals),
        told(plan.warnings),
        told(plan.cause),
    ]
    return repr((parts, [sorted(each) for each in seen], plan.counts(), repr(plan.parts)))
