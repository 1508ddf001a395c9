"""Commands that show records: find, history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs
import click

from nubetis.cli.call import Answer, Call, command, title_of
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.texts import _, say_label, say_word
from nubetis.cli.wording import Words
from nubetis.data.parts import Named, named
from nubetis.model.filters import EVERYTHING, Filter
from nubetis.model.ids import decode, encode
from nubetis.model.schema import Module, Schema
from nubetis.model.system import ENTRIES
from nubetis.model.text import parse
from nubetis.session import past

if TYPE_CHECKING:
    from nubetis import Record, Session
    from nubetis.model.query import Page
    from nubetis.session.past import Moment

__all__ = ["find_command", "history_command", "read_filter", "records_grid", "shown_fields"]

_IN_ENTRIES: Final = frozenset({"created_in", "deleted_in"})
"""Fields that name the entry of the journal that made the record, or put it into the recycle bin."""
_MOST: Final = 6


def read_filter(words: Sequence[str], module: Module, schema: Schema) -> Filter:
    """Give the filter that *words* say; everything, if nothing is said."""
    text = " ".join(words)
    return parse(text, module=module, schema=schema) if text.strip() else EVERYTHING


def shown_fields(module: Module, records: Sequence[Record]) -> list[str]:
    """Give the fields that say most about *records*: the title, then those that most of them have, in their order."""
    own = [
        str(slot.field.name)
        for slot in module.layout.slots.values()
        if not slot.field.system and slot.field.name != "owner"
    ]
    filled = {name: sum(record[name] not in (None, ()) for record in records) for name in own}
    ordered = sorted([name for name in own if filled[name]], key=lambda name: (name != module.title, -filled[name]))
    kept = set(ordered[:_MOST])
    return [name for name in own if name in kept] or [str(module.title)]


def records_grid(module: Module, records: Sequence[Record], *, fields: Sequence[str], room: int) -> RenderableType:
    """Give records as a table that begins with their ids."""
    asked = [named(module, path) for path in fields]
    rows = [[record.id, *[each.of(record[each.field.name]) for each in asked]] for record in records]
    labels = [say_label(each.field) + (f".{each.part.name}" if each.part else "") for each in asked]
    return grid(["id", *labels], rows, room=room)


@attrs.frozen(kw_only=True)
class _Find:
    """What is to be found, and what of it shown."""

    module: str
    where: tuple[str, ...]
    sort: tuple[str, ...]
    limit: int
    after: str | None
    fields: str | None
    deleted: bool

    def page(self, session: Session, module: Module) -> Page:
        """Give the page."""
        where = read_filter(self.where, module, session.schema)
        return session.find(
            self.module, where, sort=self.sort, limit=self.limit, after=self.after, total="capped", deleted=self.deleted
        )


@command("find", _("List records that fit a filter."), value=_Find)
@click.argument("module", metavar=_("MODULE"))
@click.argument("where", metavar=_("[FILTER]"), nargs=-1)
@click.option("--sort", "-s", multiple=True, metavar=_("FIELD"), help=_("Sort by a field; -amount is descending."))
@click.option("--limit", "-n", default=20, show_default=True, help=_("Records of one page."))
@click.option("--after", metavar="CURSOR", help=_("Go on after an earlier page."))
@click.option("--fields", metavar=_("FIELDS"), help=_("Which fields, with commas between them."))
@click.option("--deleted", is_flag=True, help=_("Look into the recycle bin."))
def find_command(call: Call, given: _Find) -> Answer:
    """Find records: nubetis find deals 'stage = won and amount > 1000 "acme"'."""
    paths = given.fields.split(",") if given.fields else None
    with call.session() as session:
        home = session.schema.module(given.module)
        asked = [named(home, path) for path in paths or ()]
        page = given.page(session, home)
    facts = {
        "module": home.name,
        "records": [_facts(record, asked) for record in page],
        "total": page.total,
        "capped": page.capped,
        "next": page.next,
        "previous": page.previous,
    }
    shown = paths or shown_fields(home, page)
    call.face.answer(facts, lambda: _page(home, page, shown, call.face.room))
    return None


def _facts(record: Record, asked: Sequence[Named]) -> dict[str, object]:
    filled = {name: _fact(record, name) for name in record if asked or record[name] not in (None, ())}
    chosen = {each.path: each.of(filled[each.field.name]) for each in asked}
    return {"id": record.id, "version": record.version, **(chosen or filled)}


def _fact(record: Record, name: str) -> object:
    """Give a value for programs: an entry of the journal by its id, whose number readers of JSON would round."""
    value = record[name]
    return encode(ENTRIES.prefix, value) if name in _IN_ENTRIES and value is not None else value


def _page(module: Module, page: Page, fields: Sequence[str], room: int) -> RenderableType:
    if not page:
        return line(_("No record fits."), "dim")
    total = f"{page.total:,}+" if page.capped else f"{page.total:,}"
    parts = [
        records_grid(module, page, fields=fields, room=room),
        line(_("{count} of {total}").format(count=len(page), total=total), "dim"),
    ]
    if page.next is not None:
        parts.append(line(_("The next page: --after {cursor}").format(cursor=page.next), "dim", whole=True))
    return group(*parts)


@command("history", _("Show the life of a record."))
@click.argument("record", metavar="ID")
def history_command(call: Call, record: str) -> Answer:
    """Show when a record was changed, by which operation, and how."""
    with call.session() as session:
        moments = past.history(session, record)
        rows = history_rows(session, record, moments)
    facts = {"record": record, "moments": [_moment(each) for each in moments]}
    call.face.answer(facts, lambda: history_grid(rows, room=call.face.room))
    return None


def _moment(moment: Moment) -> dict[str, object]:
    return {
        "at": moment.at,
        "kind": moment.kind,
        "operation": moment.operation.id,
        "cause": moment.operation.cause.kind,
        "actor": moment.operation.actor,
        "before": moment.before,
        "after": moment.after,
    }


@attrs.frozen(kw_only=True)
class _Lived:
    """What a record differed by at a moment of its life."""

    module: str
    record: str
    before: Mapping[str, object]
    after: Mapping[str, object]


def history_rows(session: Session, record: str, moments: Sequence[Moment]) -> list[list[object]]:
    """Give a record's life, one line a changed field, in words."""
    actors = {str(each.operation.actor) for each in moments if each.operation.actor is not None}
    people = {actor: title_of(session, actor) or actor for actor in actors}
    module = session.schema.by_prefix[decode(record)[0]].name
    rows: list[list[object]] = []
    for moment in moments:
        words = Words(
            session=session,
            change=_Lived(module=module, record=record, before=moment.before, after=moment.after),
        )
        who = people.get(str(moment.operation.actor), "nubetis")
        head: list[object] = [moment.at, f"{say_word(moment.kind)} ({say_word(moment.operation.cause.kind)})", who]
        changes = list(words.told()) or [""]
        rows += [[*(head if place == 0 else ["", "", ""]), text] for place, text in enumerate(changes)]
    return rows


def history_grid(rows: Sequence[Sequence[object]], *, room: int) -> RenderableType:
    """Give a record's life as a table."""
    return grid([_("when"), _("what"), _("who"), _("values")], rows, room=room)
