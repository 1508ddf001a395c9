"""Profiles edited as values: nothing is left without what it needs, and join and common are what their names say."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nubetis.access.decision import Action
from nubetis.access.editing import common, forbidding, joined, needing, permitting, with_field
from nubetis.access.permissions import CATALOGUE, EVERY_PERMISSION, NO_PERMISSION, FieldLevel, Permissions
from tests.access.test_permissions import KEYS, MODULES, PERMISSIONS

EACH = st.sampled_from(sorted(CATALOGUE, key=str))


def closed(permissions):
    """Give *permissions* without all that lacks something, so that it may stand."""
    while found := permissions.dangling():
        for module, permission, _ in found:
            permissions = forbidding(permissions, permission, module)
    return permissions


def has(permissions, permission, module):
    verbs = isinstance(permission, Action)
    return permission in (permissions.verbs(module) if verbs else permissions.functions)


@given(PERMISSIONS, EACH, st.none() | MODULES)
def test_what_is_permitted_is_and_what_is_forbidden_is_not_and_nothing_hangs(given_, permission, module):
    """Neither takes or gives anything else than what it needs, and what needs it."""
    profile = closed(given_)
    more, less = permitting(profile, permission, module), forbidding(profile, permission, module)
    somewhere = 1000 if module is None else module

    assert (has(more, permission, somewhere), has(less, permission, somewhere)) == (True, False)
    assert (more.dangling(), less.dangling()) == ([], [])
    assert less <= profile <= more


@given(PERMISSIONS, EACH, MODULES)
def test_one_module_leaves_the_others_as_they_were(profile, permission, module):
    assume(isinstance(permission, Action))
    for change in (permitting, forbidding):
        other = change(profile, permission, module)
        assert (other.default, other.functions, other.fields) == (profile.default, profile.functions, profile.fields)
        assert all(other.verbs(each) == profile.verbs(each) for each in range(1000, 1004) if each != module)


@given(PERMISSIONS, PERMISSIONS)
def test_join_is_the_least_that_permits_both_and_common_the_most_that_both_permit(one, two):
    one, two = closed(one), closed(two)
    most, least = joined(one, two), common(one, two)

    assert (least <= one <= most, least <= two <= most) == (True, True)
    assert (most.dangling(), least.dangling()) == ([], [])
    assert (joined(one, two) == joined(two, one), common(one, two) == common(two, one)) == (True, True)
    assert (joined(one, least) <= one, one <= common(one, most)) == (True, True)


@given(PERMISSIONS, KEYS, st.sampled_from(list(FieldLevel)))
def test_a_field_has_the_level_that_it_was_given(profile, field, level):
    other = with_field(profile, field, level)

    assert other.level(*field) is level
    assert (field in other.fields) is (level is not FieldLevel.EDIT)
    assert with_field(other, field, profile.level(*field)).fields == {
        each: kept for each, kept in profile.fields.items() if each != field or kept is not FieldLevel.EDIT
    }


@pytest.mark.parametrize("permission", sorted(CATALOGUE, key=str))
def test_everything_without_one_is_nothing_that_needs_it(permission):
    less = forbidding(EVERY_PERMISSION, permission)

    assert {*EVERY_PERMISSION.default, *EVERY_PERMISSION.functions} - {*less.default, *less.functions} == {
        *needing(permission)
    }
    assert permitting(NO_PERMISSION, permission).dangling() == []


def test_a_verb_everywhere_is_one_of_the_modules_of_which_something_is_said_too():
    profile = Permissions(modules={1000: frozenset([Action.VIEW])})

    assert Action.EXPORT in permitting(profile, Action.EXPORT).verbs(1000)
    assert Action.VIEW not in forbidding(profile, Action.VIEW).verbs(1000)
