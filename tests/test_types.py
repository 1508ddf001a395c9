"""The few types that do something."""

from __future__ import annotations

import copy

from nubetis import types
from nubetis.types import UNSET, Unset


def test_not_given_is_one_thing_however_it_is_copied():
    """It is compared by ``is``."""
    assert UNSET is copy.copy(UNSET) is copy.deepcopy(UNSET) is Unset["UNSET"]


def test_not_given_is_not_none():
    """That is the reason why there is another word for it."""
    assert UNSET is not None
    assert list(Unset) == [UNSET]


def test_ids_of_all_kinds_cost_nothing_at_run_time():
    assert (7, "dea_7") == (types.Key(7), types.RecordId("dea_7"))
    assert {int, str} == {type(types.Key(7)), type(types.RecordId("x"))}
