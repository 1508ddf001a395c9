"""The organisation: made, opened, its doors handed out, backed up and checked."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import count
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

import attrs

from nubetis._builtin import BUILT_IN_PLUGINS
from nubetis._plugins import Extensions
from nubetis.backends.copying import Copied, copy_into_file, copy_out, copy_store, require_room
from nubetis.backends.urls import shown
from nubetis.errors import Conflict, Damaged, InvalidValue, NotFound, NubetisError, StoreError, require
from nubetis.model.convert import module_text, schema_of
from nubetis.model.fields import Field, FieldType
from nubetis.model.ids import KeyMaker
from nubetis.model.remember import remembered
from nubetis.model.rules import check_rules, check_scope
from nubetis.model.schema import Module, Schema, diff, foreign_id
from nubetis.model.system import MODULES, SYSTEM_SCHEMA
from nubetis.model.typed import Typed
from nubetis.session import Session
from nubetis.session.altering import alter, settle
from nubetis.session.delivering import deliver
from nubetis.session.examining import examine, mend
from nubetis.session.recounting import lost_of
from nubetis.session.resuming import unfinished
from nubetis.session.retaining import purge
from nubetis.session.sealing import Verification, copy_sealed, verify
from nubetis.session.setup import first_settings, open_session, set_up
from nubetis.session.spool import room
from nubetis.session.state import State
from nubetis.session.world import World, read_schema, read_settings
from nubetis.types import Json, Progress

if TYPE_CHECKING:
    from nubetis.access.entitlements import Entitlements
    from nubetis.access.sign_in import HostSignIn
    from nubetis.backends.copying import ReadSchema
    from nubetis.data.files import FileFormat
    from nubetis.model.blobs import BlobStore
    from nubetis.model.findings import Finding
    from nubetis.model.plan import Operation
    from nubetis.model.schema import Module
    from nubetis.model.store import Store, Txn
    from nubetis.types import Progress

__all__ = ["Org", "check_store", "copy", "create", "open", "restore", "why_not_whole"]

T = TypeVar("T")

_OF_OTHERS: Final = frozenset({"module_lost", "table_foreign"})
"""What is said of tables where the definitions of modules cannot be read; it says nothing then."""
_LEASES: Final = 10
"""Times that a node number is asked for, where the line is lost each time."""


def utc_now() -> datetime:
    """Give the present instant."""
    return datetime.now(UTC)


def fresh_salt() -> str:
    """Give 64 random bits in hexadecimal."""
    return secrets.token_hex(8)


def _tuple(given: Iterable[object]) -> tuple[object, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Surroundings:
    """What an organisation takes from outside: plug-ins, the clock, randomness, the secret of its seals.

    A plug-in is an object, a class that is called to make one, or an entry point that names either.
    """

    plugins: tuple[object, ...] = attrs.field(default=(), converter=_tuple)
    entry_points: bool = False
    clock: Callable[[], datetime] = utc_now
    salt: Callable[[], str] = fresh_salt
    secret: bytes | None = attrs.field(default=None, repr=False)

    def extensions(self) -> Extensions:
        """Give the plug-ins, the built-in ones first."""
        return Extensions([*BUILT_IN_PLUGINS, *self.plugins], entry_points=self.entry_points)


def create(
    url: str,
    *,
    administrator: str,
    settings: Mapping[str, Json] | None = None,
    entitlements: Entitlements | None = None,
    around: Surroundings | None = None,
    plugins: Iterable[object] = (),
) -> Org:
    """Make an organisation and its first administrator, who is named by e-mail and has no password.

    He is active, has the built-in role of the Chief Executive and the profile of the Administrator, and takes the
    first licence.  *settings* may give the organisation's ``name`` and the ``currency`` that it counts in;
    *entitlements* are what its edition gives, without limit where nothing is said.

    Raises:
        Conflict: ``database_exists``.
        StoreError: ``half_made``; what is there was begun, and is no organisation.
        InvalidValue: ``bad_email``, ``bad_setting``; nothing was made.

    >>> with create("memory://", administrator="ana@acme.pe") as org:
    ...     org.name
    'Acme'
    """
    outside = _outside(around, plugins)
    extensions = outside.extensions()
    schema = _schema_of(extensions)
    if schema.module("users").field("email").check(administrator) is None:  # before anything could be half made
        raise InvalidValue("required", field="administrator")
    first = first_settings(administrator, {} if settings is None else settings, entitlements)
    check_scope(schema)
    check_rules(schema, now=outside.clock())
    with ExitStack() as until_made:
        store = extensions.stores(_scheme(url))(url, create=True)
        until_made.callback(store.close)
        _require(store, url, present=False)
        until_made.pop_all()
        until_made.callback(store.discard)
        store.migrate(diff(Schema(), schema), schema)
        world = _world(store, extensions, outside)
        set_up(State(world, None, purpose="setup"), schema, administrator=administrator, settings=first)
        until_made.pop_all()
    return Org(url, world, outside)


def _schema_of(extensions: Extensions) -> Schema:
    """Give the schema of a new organisation, of the very modules that reading it will give."""
    return _schema_with(*extensions.field_types().values(), *extensions.modules())


@remembered
def _schema_with(*given: FieldType | Module) -> Schema:
    made = SYSTEM_SCHEMA.with_modules([each for each in given if isinstance(each, Module)])
    types = {each.name: each for each in given if isinstance(each, FieldType)}
    return schema_of(map(module_text, made.modules), types=types, version=made.version)


def open(url: str, *, around: Surroundings | None = None, plugins: Iterable[object] = ()) -> Org:
    """Open an organisation; a missing one is never made.

    Raises:
        NotFound: ``no_database``, ``unknown_scheme``; ``missing_plugin``, a field's type comes from a plug-in that was
            not handed over.
        StoreError: it is damaged, of a later nubetis, or not nubetis's.
    """
    outside = _outside(around, plugins)
    extensions = outside.extensions()
    with ExitStack() as until_open:
        store = extensions.stores(_scheme(url))(url, create=False)
        until_open.callback(store.close)
        _require(store, url, present=True)
        org = Org(url, _world(store, extensions, outside), outside)
        org.mend()
        until_open.pop_all()
    return org


def check_store(url: str, *, around: Surroundings | None = None) -> list[Finding]:
    """Give what is wrong with the store at *url*, also where the organisation in it cannot be opened.

    Raises:
        NotFound: ``no_database``; or ``unknown_scheme``.
        StoreError: it is damaged from the beginning, of a later nubetis, or not nubetis's.
    """
    extensions = _outside(around, ()).extensions()
    with closing(extensions.stores(_scheme(url))(url, create=False)) as store:
        try:
            schema = store.read(lambda txn: read_schema(txn, extensions.field_types(), version=0))
        except NubetisError:  # nobody knows any more which modules there were
            return [each for each in store.check(SYSTEM_SCHEMA) if each.code not in _OF_OTHERS]
        return store.check(schema)


def why_not_whole(url: str, *, around: Surroundings | None = None) -> str:
    """Give the code of the error that says why no organisation stands at *url*; nothing where one does.

    >>> why_not_whole("memory://nowhere")
    'no_database'
    """
    extensions = _outside(around, ()).extensions()
    try:
        with closing(extensions.stores(_scheme(url))(url, create=False)) as store:
            _require(store, url, present=True)
    except NubetisError as error:
        return error.code
    return ""


def copy(
    source: str,
    target: str,
    *,
    replace: bool = False,
    progress: Progress | None = None,
    around: Surroundings | None = None,
    plugins: Iterable[object] = (),
) -> Copied:
    """Copy the organisation at *source* to *target*, in a store of any kind: journal, seals, counters and bytes, too.

    The copy is of one instant, and others may go on writing to *source* meanwhile.  It is compared by a content hash
    before it is an organisation.  With *replace* what is at *target* already is lost: in a file as soon as the copy is
    whole, elsewhere as soon as *source* was read to its end; an interrupted copy there refuses to open
    (``half_made``).  Whoever has *target* open must close it before.

    Raises:
        NotFound: ``no_database``; there is nothing at *source*.  ``missing_plugin``, as for :func:`open`.
        Conflict: ``database_exists``.
        StoreError: ``half_made``, ``no_capability``; ``not_replaced``, others have put something of theirs at *target*.
            *source* is as it was.
        Damaged: *source* cannot be read to its end, or has lost the definition of a module; *target* is as it was.

    >>> create("memory://old", administrator="ana@acme.pe").close()
    >>> copy("memory://old", "memory://new").rows > 0
    True
    """
    extensions = _outside(around, plugins).extensions()
    with closing(extensions.stores(_scheme(source))(source, create=False)) as old:
        _require(old, source, present=True)
        _refuse_lost(old, source)
        read_schema = _reader(extensions)
        if _scheme(target) == "sqlite":
            return copy_into_file(old, target, read_schema, replace=replace, progress=progress)
        with ExitStack() as until_made:
            new = extensions.stores(_scheme(target))(target, create=True)
            until_made.callback(new.close)
            if require_room(old, new, shown(target), replace=replace):
                until_made.callback(new.discard)
            return copy_store(old, new, read_schema, progress=progress)


def _refuse_lost(store: Store, url: str) -> None:
    """Stop where the definition of a module is gone: a copy would leave its records behind, and nobody would know."""
    if store.read(lambda txn: list(lost_of(txn, [MODULES]))):
        raise Damaged(
            "damaged", what=shown(url), reason="the definition of a module is gone, and a copy would lack its records"
        )


def _reader(extensions: Extensions) -> ReadSchema:
    def read(txn: Txn) -> Schema:
        return read_schema(txn, extensions.field_types(), version=txn.versions().schema)

    return read


def restore(
    source: str,
    url: str,
    *,
    replace: bool = False,
    around: Surroundings | None = None,
    plugins: Iterable[object] = (),
) -> None:
    """Put the back-up in the file *source* in the place of *url*; with *replace* also where there is one already.

    The back-up is verified first and stays as it is.  Whoever has the old organisation open must close it before.
    What is no organisation is never replaced.

    Raises:
        Conflict: ``database_exists``.
        StoreError: ``not_nubetis``, ``store_busy``, ``unwritable``; ``no_temporary``, on a server, to which a back-up
            goes by way of the folder for temporary files.
        Damaged: the back-up is not whole.
        NewerFormat: a later nubetis wrote it.
    """
    from nubetis.backends.sql import restore as restore_file

    if _scheme(url) == "sqlite":
        extensions = _outside(around, plugins).extensions()
        restore_file(source, url, replace=replace, look=lambda file: _require_readable(file, source, extensions))
        return
    with ExitStack() as until_copied:
        with room():
            folder = until_copied.enter_context(TemporaryDirectory(prefix="nubetis-"))
        file = f"sqlite:///{folder}/restored.db"
        try:
            restore_file(source, file)
        except StoreError as error:
            if error.code not in _NO_ROOM:
                raise
            raise StoreError("no_temporary", reason=error.params.get("reason", "there is no room left")) from None
        copy(file, url, replace=replace, around=around, plugins=plugins)


_NO_ROOM: Final = frozenset({"disk_full", "unwritten", "unwritable"})
"""What is said of a file where there is no room for it."""


def _require_readable(file: str, source: str, extensions: Extensions) -> None:
    """Stop where the organisation in *file*, a copy of *source*, could not be opened.

    Raises:
        Damaged: ``unrestorable``.
    """
    try:
        with closing(extensions.stores("sqlite")(f"sqlite:///{file}", create=False)) as store:
            store.read(lambda txn: read_settings(txn, read_schema(txn, extensions.field_types(), version=0)))
    except NotFound:  # a plug-in that was not handed over says nothing of the file
        return
    except NubetisError as error:
        raise Damaged("unrestorable", file=source, reason=str(error).rstrip(".")) from error


def _outside(around: Surroundings | None, plugins: Iterable[object]) -> Surroundings:
    given = around or Surroundings()
    return attrs.evolve(given, plugins=(*given.plugins, *plugins))


def _require(store: Store, url: str, *, present: bool) -> None:
    """Stop where there is no organisation although there should be one, or the other way round."""
    if store.format() is None:
        if present:
            raise NotFound("no_database", url=shown(url))
        return
    if not store.read(lambda txn: txn.versions()).schema:
        raise StoreError("half_made", url=shown(url))
    if not present:
        raise Conflict("database_exists", url=shown(url))


def _scheme(url: str) -> str:
    require(url, str, argument="url", expected="a URL such as sqlite:///acme.db")
    if ":" not in url:
        raise InvalidValue("bad_argument", argument="url", reason=f"give a URL such as sqlite:///{url}")
    return url.partition(":")[0].partition("+")[0]


def _world(store: Store, extensions: Extensions, around: Surroundings) -> World:
    def lease() -> KeyMaker:
        return KeyMaker(_leased(store), around.clock)

    world = World(store=store, extensions=extensions, now=around.clock, lease=lease, salt=around.salt)
    world.settle()
    return world


def _leased(store: Store) -> int:
    """Give the number of a node that nobody else has.

    Where nobody knows whether one was given, another does as well: there may be gaps.
    """
    tries = count(1)
    while True:
        try:
            return store.write(lambda txn: txn.allocate("nodes"))
        except StoreError as error:
            if error.code != "commit_unknown" or next(tries) == _LEASES:
                raise


@attrs.define
class Org:
    """An open organisation.  Close it, or use it in a ``with`` block.

    It is the host's own door: whoever holds it may open a session for anybody.
    """

    url: str = attrs.field(repr=shown)
    _world: World = attrs.field(repr=False)
    _around: Surroundings = attrs.field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; sessions of this organisation end."""
        self._world.store.close()

    # doors -------------------------------------------------------------------------------------------------
    def session(self, sign_in: HostSignIn, *, on_behalf_of: str | None = None) -> Session:
        """Give the door of a user for whom the host vouches, or of another *on_behalf_of* whom he acts.

        Acting for another one has what that one has lent (:mod:`nubetis.session.delegating`), and both names stand in
        the journal.

        Raises:
            NotFound: ``unknown_user``.
            AccessDenied: the user is not active; ``no_delegation``, nobody lets him act so.
        """
        return open_session(self._world, sign_in, on_behalf_of=on_behalf_of)

    def system(self, purpose: str) -> Session:
        """Give nubetis's own door, for a named *purpose* that the journal shows.  It sees and writes everything."""
        return Session(State(self._world, None, purpose=purpose))

    # what it is --------------------------------------------------------------------------------------------
    @property
    def schema(self) -> Schema:
        """The modules as they are now."""
        return self._reading(lambda state: state.known.schema)

    @property
    def name(self) -> str:
        """The organisation's name."""
        return str(self.settings().get("name", ""))

    def settings(self) -> dict[str, Json]:
        """Give the organisation's settings by name."""
        return self._reading(lambda state: dict(state.known.settings))

    @property
    def entitlements(self) -> Entitlements:
        """What its edition gives."""
        return self._reading(lambda state: state.known.entitlements)

    def _reading(self, work: Callable[[State], T]) -> T:
        state = State(self._world, None, purpose="reading")
        return state.read(lambda: work(state))

    @property
    def blobs(self) -> BlobStore:
        """Where bytes are kept."""
        return self._world.extensions.blob_stores()(self._world.store)

    def file_formats(self) -> list[FileFormat]:
        """Give the kinds of files that import and export know."""
        return self._world.extensions.file_formats()

    def typed(self, view: type[T], *, module: str | None = None) -> Typed[T]:
        """Give records as values of the host's own attrs class, whose attributes are fields.

        Raises:
            NotFound: ``unknown_field``; the class has an attribute that the module has not.
        """
        found = self.schema.module(module or f"{view.__name__.lower()}s")
        return Typed.of(view, found)

    # the schema --------------------------------------------------------------------------------------------
    def alter(self, schema: Schema, *, by: Session | None = None) -> Operation:
        """Change the modules to *schema*, made from :attr:`schema`; for a user, or for the host itself.

        Raises:
            AccessDenied: the user may not.
            InvalidValue: ``schema_type``; ``bad_rule_filter``.
            Conflict: another change is under way or was faster.
        """
        return alter(State(self._world, None, purpose="schema") if by is None else by.state, schema)

    def add_module(self, module: Module, *, by: Session | None = None) -> Operation:
        """Add a module; nubetis gives it its id."""
        require(module, Module, argument="module", expected="a module")
        if module.id:
            raise foreign_id(module)
        return self.alter(self.schema.with_module(module), by=by)

    def add_field(self, module: str, field: Field, *, by: Session | None = None) -> Operation:
        """Add a field to a module; records have it at once, empty, and nubetis gives it its id."""
        require(field, Field, argument="field", expected="a field")
        if field.id:
            raise foreign_id(field)
        return self.alter(self.schema.with_field(module, field), by=by)

    def mend(self) -> None:
        """Finish what an interruption left; :func:`open` does this."""
        settle(State(self._world, None, purpose="mending"), self._world.extensions.modules)

    # keeping it --------------------------------------------------------------------------------------------
    def backup(self, target: str) -> str:
        """Write a consistent copy to the file *target* beside those who work; give its anchor to keep.

        The anchor is that of the last entry in the copy, which is an SQLite file whatever the store is; :func:`restore`
        puts it back, into a store of any kind.

        Raises:
            StoreError: ``unwritable``, ``no_folder``.
            Damaged: ``not_backed_up``; what is damaged is no back-up, and there is no file.

        Cost: the copy is read again, to its last page.
        """
        store, state = self._world.store, State(self._world, None, purpose="sealing")

        def copy_file(look: Callable[[Txn], None]) -> None:
            if store.capabilities.snapshots:
                store.snapshot(target, fence=look)
            else:
                copy_out(store, target, lambda txn: self._world.learn(txn).schema, fence=look)

        return copy_sealed(state, copy_file, secret=self._around.secret)

    def verify(self, *, anchor: str | None = None) -> Verification:
        """Prove that nobody changed the journal since it was written, as far as seals and *anchor* can tell."""
        return verify(State(self._world, None, purpose="verifying"), anchor=anchor, secret=self._around.secret)

    def check(self, *, progress: Progress | None = None) -> list[Finding]:
        """Give what is not in order, beside those who work: the store, files, links, counters, what was interrupted.

        The records of all modules are read; the journal's seals are :meth:`verify`'s.

        >>> with create("memory://", administrator="ana@acme.pe") as org:
        ...     org.check()
        []
        """
        return examine(State(self._world, None, purpose="checking"), progress=progress)

    def repair(self, findings: Iterable[Finding]) -> list[Finding]:
        """Put right what *findings* of :meth:`check` say, as far as it can be made again; give what still is wrong.

        No record changes: made again are twins, sets, indexes and tallies, set on are counters, and let go are plans of
        operations that have ended and a log that has grown.
        """
        mend(State(self._world, None, purpose="repairing"), findings)
        return self.check()

    def facts(self) -> dict[str, str | int | bool]:
        """Give what helps to judge the store: what it can do, and what it says of itself."""
        store = self._world.store
        return {**attrs.asdict(store.capabilities), **store.facts()}

    def purge(self, *, before: datetime) -> int:
        """Take out of the recycle bin for good what was put there before an instant; give the number of records.

        This cannot be undone; the journal keeps that they were there.  What is under a legal hold stays, and so do
        users, whom records name: an erasure takes what is personal of them.
        """
        return purge(State(self._world, None, purpose="purging"), before)

    def deliver(self, *, limit: int = 100, dead: bool = False) -> int:
        """Hand due messages of the outbox to the plug-ins; give the number of those taken.

        One that nobody takes, or for which a plug-in raises, is due again after a minute, then two, then four, up to
        twelve hours; after twelve times it is given up, and offered again only with *dead*.

        Raises:
            PluginError: a plug-in raised; all others that were due have been offered.
        """
        return deliver(State(self._world, None, purpose="delivering"), limit, dead=dead)

    def interrupted(self) -> list[Operation]:
        """Give the operations that were begun and not finished; :mod:`nubetis.session.resuming` goes on with one."""
        return self._reading(unfinished)
