"""Who stands at the door."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ["HostSignIn"]


@attrs.frozen
class HostSignIn:
    """The host vouches for a user whom it has signed in itself (OIDC, Django, a test).

    *user* is named by e-mail, handle or record id.  *factor* says whether a second factor was checked, *at* when,
    *address* from which network address.  The sign-in is journalled, and the gates still apply.

    >>> HostSignIn("ana@acme.pe").factor
    False
    """

    user: str
    factor: bool = attrs.field(default=False, kw_only=True)
    at: datetime | None = attrs.field(default=None, kw_only=True)
    address: str | None = attrs.field(default=None, kw_only=True)
