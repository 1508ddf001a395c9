"""Who would be locked out by a plan, told before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nubetis.cli.texts import _, say_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nubetis.session.lockouts import Lockouts

__all__ = ["lockout_facts", "say_lockouts"]


def lockout_facts(found: Lockouts) -> dict[str, object]:
    """Give programs what a plan would lock."""
    return {
        "signed_out": found.signed_out,
        "oneself": found.oneself,
        "lost": found.lost,
        "modules": found.modules,
        "functions": found.functions,
        "stopped": None if found.stopped is None else found.stopped.code,
    }


def say_lockouts(found: Lockouts, users: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[str]:
    """Say in lines what a plan would lock; nothing where that is nothing."""
    if found.oneself:
        yield _("You could no longer sign in.")
    if found.signed_out:
        yield _("Could no longer sign in: {names}.").format(names=_listed(found.signed_out, users))
    for user, functions in found.lost.items():
        yield _("{user} would lose: {names}.").format(user=users.get(user, user), names=", ".join(functions))
    if found.modules:
        several = _("every module") if len(found.modules) == len(labels) else _listed(found.modules, labels)
        yield _("Nobody beside the administrators could edit any more: {names}.").format(names=several)
    if found.functions:
        several = ", ".join(found.functions)
        yield _("Nobody beside the administrators could do any more: {names}.").format(names=several)
    if found.stopped is not None:
        yield _("It would be refused: {reason}").format(reason=say_refusal(found.stopped))


def _listed(names: Iterable[str], words: Mapping[str, str]) -> str:
    return ", ".join([words.get(each, each) for each in names])
