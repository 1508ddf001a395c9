"""Records of nubetis's own modules as people name them: by name or by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nubetis.errors import InvalidValue, NotFound, require
from nubetis.model.filters import F

if TYPE_CHECKING:
    from nubetis.model.record import Record
    from nubetis.session.door import Session

__all__ = ["named"]

_KINDS: Final = {
    "roles": "role",
    "profiles": "profile",
    "permission_sets": "permission set",
    "groups": "group",
    "sharing_rules": "sharing rule",
}


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
        raise NotFound("unknown_principal", kind=_KINDS.get(module, module), name=name[:60])
    return record
