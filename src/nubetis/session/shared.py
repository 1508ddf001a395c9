"""Sharing as it stands: what everybody has in each module, the rules, the groups; with principals in words.

The words are those that :func:`nubetis.session.sharing.principal` reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from nubetis.access.sharing import Default, Level, Principal, PrincipalKind
from nubetis.errors import NotFound
from nubetis.model.filters import Filter
from nubetis.model.ids import encode
from nubetis.session.asking import kept_filter
from nubetis.session.naming import named
from nubetis.types import ModuleName, RecordId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nubetis.model.record import Record
    from nubetis.model.schema import Module
    from nubetis.session.door import Session

__all__ = ["Group", "ModuleSharing", "ShareRule", "groups", "module_sharing", "principal_words", "share_rules"]

_MOST = 1000


@attrs.frozen(kw_only=True)
class ModuleSharing:
    """What everybody has in a module (*level*), those above an owner (*upward*), and who may view its *parent*.

    *said* is whether somebody said so, or it is what holds where nothing is said.
    """

    module: ModuleName
    level: str
    upward: str
    parent: str | None = None
    parent_level: str = "none"
    said: bool = False


@attrs.frozen(kw_only=True)
class ShareRule:
    """A sharing rule: what *source* owns, or what fits *where*, is shared with *target*."""

    id: RecordId
    name: str
    module: ModuleName
    source: str | None
    where: Filter | None
    target: str
    level: str
    superiors: bool
    active: bool


@attrs.frozen(kw_only=True)
class Group:
    """A group, and its members in words."""

    id: RecordId
    name: str
    members: tuple[str, ...]


def module_sharing(session: Session) -> list[ModuleSharing]:
    """Give what holds in each module, in the order of the schema.

    Raises:
        AccessDenied: the user may not manage sharing.
    """

    def work() -> list[ModuleSharing]:
        said = {record["module"]: record for record in session.find("sharing_defaults", limit=_MOST)}
        modules = [module for module in session.schema.modules if not module.system]
        return [_module_sharing(module, said.get(int(module.id))) for module in modules]

    return session.state.read(work)


def _module_sharing(module: Module, record: Record | None) -> ModuleSharing:
    if record is None:
        usual = Default()
        return ModuleSharing(module=module.name, level=usual.level.text, upward=usual.upward.text)
    parent = next((field.name for field in module.fields if field.id == record["parent"]), None)
    levels = {name: Level.parse(record[name]).text for name in ("level", "upward", "parent_level")}
    return ModuleSharing(module=module.name, parent=parent, said=True, **levels)


def share_rules(session: Session) -> list[ShareRule]:
    """Give the sharing rules, by name.

    Raises:
        AccessDenied: the user may not manage sharing.
    """

    def work() -> list[ShareRule]:
        return [_rule(session, each) for each in session.find("sharing_rules", sort="name", limit=_MOST)]

    return session.state.read(work)


def _rule(session: Session, record: Record) -> ShareRule:
    source, where, schema = record["source"], record["where"], session.state.known.schema
    module = schema.by_id[record["module"]]
    return ShareRule(
        id=record.id,
        name=str(record["name"]),
        module=module.name,
        source=None if source is None else principal_words(session, Principal.parse(str(source))),
        where=None if where is None else kept_filter(str(where), module, schema),
        target=principal_words(session, Principal.parse(str(record["target"]))),
        level=str(record["level"]),
        superiors=bool(record["superiors"]),
        active=bool(record["active"]),
    )


def groups(session: Session) -> list[Group]:
    """Give the groups, by name."""
    return session.state.read(
        lambda: [_group(session, each) for each in session.find("groups", sort="name", limit=_MOST)]
    )


def _group(session: Session, record: Record) -> Group:
    kept = record["members"]
    members = kept if isinstance(kept, tuple) else ()
    words = [principal_words(session, Principal.parse(str(each))) for each in members]
    return Group(id=record.id, name=str(record["name"]), members=tuple(words))


# -- principals in words ----------------------------------------------------------------------------------------------
def principal_words(session: Session, principal: Principal) -> str:
    """Give the words that :func:`nubetis.session.sharing.principal` reads, such as ``role Manager+``.

    Where a name would be read as something else, or the record is gone, the id stands.
    """
    if principal.kind is PrincipalKind.EVERYBODY:
        return principal.text
    try:
        record = session.get(encode(principal.kind.value, principal.key))
    except NotFound:
        return principal.text
    return next(_words(session, principal, record), principal.text)


def _words(session: Session, principal: Principal, record: Record) -> Iterator[str]:
    if principal.kind is PrincipalKind.USER:
        yield str(record["email"])
        return
    name = str(record["name"])
    if not name.endswith("+") and name == name.strip() and named(session, record.module, name).id == record.id:
        word = "role" if principal.kind is PrincipalKind.ROLE else "group"
        yield f"{word} {name}{'+' if principal.subordinates else ''}"
