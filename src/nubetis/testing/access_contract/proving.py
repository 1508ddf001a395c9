"""What is proved of one world, made from its seed: that answers are the oracle's, and that laws hold."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from random import Random

from nubetis.testing.access_contract.checks import Checker
from nubetis.testing.access_contract.laws import Law, bosses_see_what_is_below, keeps_law, renumbered
from nubetis.testing.access_contract.worlds import World, any_world
from nubetis.testing.access_contract.writing import make_world

__all__ = ["agreeing", "lawful", "numbered_anew"]


def _small(random: Random) -> World:
    """Give a world in which laws are tried: each takes four looks at all that everybody finds."""
    return any_world(random, users=10, records=60, chain=20)


def agreeing(url: str, seed: int, *, users: int = 30, records: int = 300, plugins: Iterable[object] = ()) -> int:
    """Compare an organisation made at *url* with the oracle; give how many checks there were.

    The same seed makes the same world.

    >>> agreeing("memory://", 1, users=3, records=12) > 300
    True

    Raises:
        AssertionError: they differ.
    """
    random = Random(seed)
    with _checking(url, any_world(random, users=users, records=records, limited=True), random, plugins) as checker:
        checker.agree()
        bosses_see_what_is_below(checker)
        return checker.checks


def lawful(url: str, seed: int, laws: Iterable[Law], *, plugins: Iterable[object] = ()) -> int:
    """Apply changes to an organisation made at *url*, one after the other; give how many checks there were.

    Raises:
        AssertionError: a law does not hold.
    """
    random = Random(seed)
    with _checking(url, _small(random), random, plugins) as checker:
        return sum(keeps_law(checker, each) for each in laws)


def numbered_anew(urls: tuple[str, str], seed: int, *, plugins: Iterable[tuple[object, ...]] = ((), ())) -> int:
    """Hold that with other keys for users, roles and groups everybody finds what he did; give the checks.

    Raises:
        AssertionError: somebody finds something else.
    """
    random = Random(seed)
    world = _small(random)
    other, users = renumbered(world, random)
    found = []
    for url, each, more in zip(urls, (world, other), plugins, strict=True):
        with _checking(url, each, random, more) as checker:
            found.append((checker, checker.seen()))
    (checker, first), (_, second) = found
    expected = {(users[user], module): keys for (user, module), keys in first.items() if user in users}
    actual = {each: keys for each, keys in second.items() if each in expected}
    size = sum(len(world.things[module]) for _, module in expected)
    checker.hold("numbered anew", expected=expected, actual=actual, count=size)
    return checker.checks


@contextmanager
def _checking(url: str, world: World, random: Random, plugins: Iterable[object]) -> Generator[Checker]:
    """Have an organisation that holds a world while this lasts."""
    org, full = make_world(url, world, plugins=plugins)
    with closing(org):
        yield Checker(org=org, world=full, random=random)
