"""What a plan does, found by doing it in a transaction that is taken back: who then sees, edits and deletes what.

So it is what then is: by owners, values, shares and parents, by profiles, and by whatever plug-ins add to the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from nubetis.access.decision import Action
from nubetis.access.policy import RolePolicy
from nubetis.access.sharing import Level
from nubetis.model.bind import All
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleId

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.session.state import State

__all__ = ["Numbers", "done_and_taken_back"]

_ACTIONS: Final = {Level.READ: Action.VIEW, Level.WRITE: Action.EDIT, Level.DELETE: Action.DELETE}

_Keys: TypeAlias = "Mapping[Level, frozenset[Key]]"
"""The keys of the living records of a module that somebody may view, edit and delete."""
_Seen: TypeAlias = "dict[tuple[Key, ModuleId], _Keys | None]"
"""By user and module; nothing is read of those who have everything."""

Numbers: TypeAlias = "dict[tuple[Key, ModuleId], tuple[dict[str, int], dict[str, int]]]"
"""By user and module: how many records are gained and lost, by the text of the level."""


class _TakenBack(Exception):
    """Leaves the block of which nothing stays."""


def done_and_taken_back(state: State, do: Callable[[], object]) -> Numbers:
    """Give how many records each user gains and loses, who has not everything before and after, by what is to *do*.

    Nothing is written.  Cost: that of doing it; and the keys of what each user has in each module, read twice, and kept
    in memory.
    """

    def work() -> Numbers:
        before = dict(_seen(state))
        after: _Seen = {}
        with _taken_back(state):
            do()
            after = dict(_seen(state))
        return dict(_compared(before, after))

    return state.write(work)


@contextmanager
def _taken_back(state: State) -> Generator[None]:
    """Give a block of which nothing stays."""
    with suppress(_TakenBack), state.savepoint():
        yield
        _leave()


def _leave() -> NoReturn:
    raise _TakenBack


def _seen(state: State) -> Iterator[tuple[tuple[Key, ModuleId], _Keys | None]]:
    users = state.known.schema.module("users")
    modules = [module for module in state.known.schema.modules if not module.system]
    for (keys,) in state.txn.stream(users, columns=("id",)):
        for key in keys:
            user = Key(int(key or 0))
            other = state.of_user(user)
            policy = other.policy
            everything = isinstance(policy, RolePolicy) and policy.user.administrator and policy.user.active
            yield from [((user, each.id), None if everything else _levels(other, each)) for each in modules]


def _levels(state: State, module: Module) -> _Keys:
    return {level: frozenset(_keys(state, module, action)) for level, action in _ACTIONS.items()}


def _keys(state: State, module: Module, action: Action) -> Iterator[Key]:
    planner = state.planner()
    if planner.policy.gate(action, module).matched:
        for (keys,) in state.txn.stream(module, All((LIVE, planner.granted(module, action))), columns=("id",)):
            yield from [Key(int(key or 0)) for key in keys]


def _compared(
    before: _Seen, after: _Seen
) -> Iterator[tuple[tuple[Key, ModuleId], tuple[dict[str, int], dict[str, int]]]]:
    nothing: _Keys = dict.fromkeys(_ACTIONS, frozenset())
    for which in before.keys() | after.keys():
        then, now = before.get(which, nothing), after.get(which, nothing)
        if then is not None and now is not None and then != now:
            yield which, (_number(now, then), _number(then, now))


def _number(having: _Keys, without: _Keys) -> dict[str, int]:
    counts = {level.text: len(having[level] - without[level]) for level in _ACTIONS}
    return {level: count for level, count in counts.items() if count}
