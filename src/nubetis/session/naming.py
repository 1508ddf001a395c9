"""Records of nubetis's own modules as people name them: by name or by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nubetis.errors import InvalidValue, NotFound, require
from nubetis.model.filters import F
from nubetis.model.nearest import suggest

if TYPE_CHECKING:
    from nubetis.model.record import Record
    from nubetis.session.door import Session

__all__ = ["KINDS", "named"]

KINDS: Final = {
    "roles": "role",
    "profiles": "profile",
    "permission_sets": "permission set",
    "groups": "group",
    "sharing_rules": "sharing rule",
}
"""Module → what a record of it is called."""


def named(session: Session, module: str, name: str) -> Record:
    """Give the record of *module* with this name or id; case and accents of a name do not matter.

    >>> from nubetis.testing.people import make_org
    >>> with make_org() as org, org.administrator() as session:
    ...     named(session, "profiles", "standard")["name"]
    'Standard'

    Raises:
        NotFound: ``unknown_principal``.
        AccessDenied: the user may not see the records of the module.
    """
    require(name, str, argument="name", expected="a name or an id")
    found = session.find(module, F.name == name, limit=1)
    if found:
        return found[0]
    try:
        record = session.get(name)
    except (NotFound, InvalidValue):
        record = None
    if record is None or record.module != module:
        names = [str(each) for (several,) in session.stream(module, fields=("name",)) for each in several]
        raise NotFound("unknown_principal", kind=KINDS[module], name=name[:60], hint=suggest(name[:60], names))
    return record
