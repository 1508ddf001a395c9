"""Who stands at the door."""

from __future__ import annotations

from datetime import datetime

import attrs

from nubetis.errors import InvalidValue, require, require_bool

__all__ = ["HostSignIn"]


def _check_user(_: object, __: attrs.Attribute[str], given: object) -> None:
    require(given, str, argument="user", expected="an e-mail, a handle or a record id")


def _check_factor(_: object, __: attrs.Attribute[bool], given: object) -> None:
    require_bool(given, argument="factor")


def _check_at(_: object, __: attrs.Attribute[datetime | None], given: object) -> None:
    if given is not None and not (isinstance(given, datetime) and given.tzinfo is not None):
        raise InvalidValue("bad_datetime", field="at")


def _check_address(_: object, __: attrs.Attribute[str | None], given: object) -> None:
    if given is not None:
        require(given, str, argument="address", expected="a text")


@attrs.frozen
class HostSignIn:
    """The host vouches for a user whom it has signed in itself (OIDC, Django, a test).

    *user* is named by e-mail, handle or record id.  *factor* says whether a second factor was checked, *at* when (an
    instant with its zone), *address* from which network address.  The sign-in is journalled, and the gates still apply.

    >>> HostSignIn("ana@acme.pe").factor
    False
    """

    user: str = attrs.field(validator=_check_user)
    factor: bool = attrs.field(default=False, kw_only=True, validator=_check_factor)
    at: datetime | None = attrs.field(default=None, kw_only=True, validator=_check_at)
    address: str | None = attrs.field(default=None, kw_only=True, validator=_check_address)
