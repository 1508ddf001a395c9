"""What every command is told: which organisation, as whom, and how to answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from importlib.metadata import EntryPoint
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import click

import nubetis
from nubetis import F, HostSignIn, Surroundings
from nubetis.backends.urls import shown
from nubetis.cli.face import Face
from nubetis.cli.texts import _, counted, say_label
from nubetis.cli.usage import Command, language_option
from nubetis.errors import InvalidValue, NubetisError, Refused
from nubetis.hookspecs import PROJECT
from nubetis.model.plan import Refusal
from nubetis.org import utc_now
from nubetis.session.sealing import NO_ANCHOR, is_anchor

__all__ = ["Answer", "Call", "anchor_option", "command", "title_of", "url_of"]

if TYPE_CHECKING:
    from datetime import datetime

_ID: Final = re.compile(r"[a-z]{3}_[0-9A-Z]+")
_IDS: Final = re.compile(rf"{_ID.pattern}(, {_ID.pattern})*(, …)?")
_PLUGIN: Final = re.compile(r"\w+(\.\w+)*(:\w+(\.\w+)*)?")

DATABASE: Final = "nubetis.db"
"""The organisation where none is named."""

Answer: TypeAlias = int | None
"""A command's exit code; ``None`` is 0."""


def anchor_option(summary: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Give ``--anchor``; what is none is a command that was not understood, and says nothing of the journal."""

    def checked(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
        if given is not None and not is_anchor(given):
            raise click.BadParameter(NO_ANCHOR)
        return given

    return click.option("--anchor", callback=checked, help=summary)


def url_of(name: str) -> str:
    """Give the URL of an organisation named by URL or by file.

    >>> url_of("acme.db"), url_of("memory://")
    ('sqlite:///acme.db', 'memory://')
    """
    return name if "://" in name else f"sqlite:///{name}"


@attrs.frozen(kw_only=True)
class Call:
    """One call of a command."""

    face: Face
    url: str
    user: str | None = None
    named: bool = True
    """Whether the organisation was named, or is the usual one."""
    around: Surroundings = attrs.field(factory=Surroundings)
    """The plug-ins that were asked for."""

    @property
    def shown(self) -> str:
        """The URL as it may be shown: without a password."""
        return shown(self.url)

    @property
    def there(self) -> str:
        """What a hint of another command says behind it, so that it is for the same organisation."""
        usual = not self.named or self.url == url_of(DATABASE)
        return "" if usual else f" --db {quote(self.shown.removeprefix('sqlite:///'))}"

    @contextmanager
    def org(self) -> Generator[nubetis.Org]:
        """Open the organisation."""
        with nubetis.open(self.url, around=self.around) as org:
            begun = utc_now()
            try:
                yield org
            except (KeyboardInterrupt, click.Abort):
                self._say_written(org, begun)
                raise

    def _say_written(self, org: nubetis.Org, begun: datetime) -> None:
        """Say what an interrupted command has written already, and how to go on with it or take it back."""
        try:
            found = [each for each in org.interrupted() if each.started_at is not None and each.started_at >= begun]
        except NubetisError:
            return
        for each in found:
            written = counted(
                "{count} record of operation {id} is written.", "{count} records of operation {id} are written.",
                each.position, id=each.id,
            )  # fmt: skip
            self.face.note(written)
            ways = _("Go on: nubetis journal resume {id}{there}; take it back: nubetis journal undo {id}{there}")
            self.face.note(ways.format(id=each.id, there=self.there))

    @contextmanager
    def session(self) -> Generator[nubetis.Session]:
        """Open the organisation, and the session of the user that was named."""
        with self.org() as org, self.session_of(org) as session:
            yield session

    @contextmanager
    def session_of(self, org: nubetis.Org) -> Generator[nubetis.Session]:
        """Open the session of the user that was named, in an organisation that is open."""
        user = _only_administrator(org) if self.user is None else self.user
        with org.session(HostSignIn(user)) as session:
            try:
                yield session
            except NubetisError as error:
                _say_titles(session, error)
                raise


def title_of(session: nubetis.Session, name: str) -> str | None:
    """Give the title of the record with this id, if the user may see one."""
    try:
        return session.get(name).title
    except NubetisError:
        return None


def _say_titles(session: nubetis.Session, error: NubetisError) -> None:
    """Put before each id in an error the title of its record: people know names."""
    error.params = _with_titles(session, _with_labels(session, error))
    if isinstance(error, Refused):
        told = [
            attrs.evolve(each, params=_with_titles(session, each.params))
            for each in error.refusals[:_TOLD]
            if isinstance(each, Refusal)
        ]
        error.refusals = (*told, *error.refusals[_TOLD:])


_TOLD: Final = 12


def _with_titles(session: nubetis.Session, params: Mapping[str, object]) -> dict[str, object]:
    def titled(found: re.Match[str]) -> str:
        title = title_of(session, found[0])
        return found[0] if title is None else f"{title} ({found[0]})"

    ids = {name: each for name, each in params.items() if isinstance(each, str) and _IDS.fullmatch(each)}
    return {**params, **{name: _ID.sub(titled, each) for name, each in ids.items()}}


_OF_MODULES: Final = ("module", "related", "by")
_TYPED: Final = frozenset({"no_heir", "unknown_field", "unknown_choice"})
"""Errors of which the reader is to type the name of the module."""


def _with_labels(session: nubetis.Session, error: NubetisError) -> dict[str, object]:
    """Put for each module in an error its label."""
    names = {name: str(error.params[name]) for name in _OF_MODULES if name in error.params}
    if not names or error.code in _TYPED:
        return dict(error.params)
    try:
        schema = session.schema
    except NubetisError:  # the store fails, or the user was sent away
        return dict(error.params)
    known = {name: each for name, each in names.items() if each in schema}
    return {**error.params, **{str(name): say_label(schema.module(each)) for name, each in known.items()}}


def _only_administrator(org: nubetis.Org) -> str:
    """Give the e-mail of the only active administrator.

    Raises:
        InvalidValue: ``bad_argument``; there are several.
    """
    with org.system("command line") as system:
        where = (F.state == "active") & F.profile.linked(F.administrator == True)  # noqa: E712 - a filter
        found = system.find("users", where, limit=2)
    if len(found) != 1:
        reason = _("there is more than one administrator: name the one you are")
        raise InvalidValue("bad_argument", argument="--as", reason=reason)
    return str(found[0]["email"])


def command(
    name: str,
    summary: str,
    *,
    signs_in: bool = True,
    opens: bool = True,
    usual: str = DATABASE,
    value: Callable[..., object] = dict,
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Make a command of a function that takes a :class:`Call` first; it has the options that all commands have.

    One that *opens* no organisation of its own takes no ``--db``, one that does not sign in no ``--as``.  Its help
    calls the organisation where none is named *usual*.
    With *value* the command's own options reach the function as one value, made by it.
    """

    def make(function: Callable[..., Answer]) -> click.Command:
        @wraps(function)
        def start(**options: Any) -> Answer:  # noqa: ANN401 - click's values
            face = Face(json=options.pop("as_json"))
            database = options.pop("db", None)
            around = Surroundings(plugins=options.pop("plugins"), entry_points=options.pop("entry_points"))
            user = options.pop("as_user", None)
            url = url_of(DATABASE if database is None else database)
            call = Call(face=face, url=url, user=user, named=database is not None, around=around)
            return function(call, **options) if value is dict else function(call, value(**options))

        decorated: Callable[..., Answer] = start
        for option in _options(signs_in=signs_in, opens=opens, usual=usual):
            decorated = option(decorated)
        made = click.command(name, cls=Command, help=summary, short_help=summary)(decorated)
        made.params.append(language_option())
        return made

    return make


def _options(
    *, signs_in: bool, opens: bool, usual: str
) -> list[Callable[[Callable[..., Answer]], Callable[..., Answer]]]:
    as_json = click.option("--json", "as_json", is_flag=True, help=_("Answer with JSON, for programs."))
    db = click.option(
        "--db",
        metavar="URL|" + _("FILE"),
        envvar="NUBETIS_DB",
        help=_("The organisation; {default} where none is named.").format(default=usual),
    )
    as_user = click.option(
        "--as", "as_user", metavar=_("E-MAIL"), help=_("The user you are; the administrator, where there is only one.")
    )
    return [*_plugin_options(), as_json, *([as_user] if signs_in else []), *([db] if opens else [])]


def _plugin_options() -> list[Callable[[Callable[..., Answer]], Callable[..., Answer]]]:
    plugins = click.option(
        "--plugin",
        "plugins",
        metavar="MODULE[:NAME]",
        multiple=True,
        envvar="NUBETIS_PLUGINS",
        callback=_named_plugins,
        help=_("Load a plug-in: a module that Python finds, or an object or class in it.  May be given several times."),
    )
    entry_points = click.option(
        "--entry-points",
        is_flag=True,
        envvar="NUBETIS_ENTRY_POINTS",
        help=_("Load the plug-ins that are installed as packages."),
    )
    return [entry_points, plugins]


def _named_plugins(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> list[EntryPoint]:
    """Give each as an entry point that names it; nothing is loaded yet."""
    for each in given:
        if not _PLUGIN.fullmatch(each):
            raise click.BadParameter(_("{given} names no plug-in: give MODULE or MODULE:NAME.").format(given=each))
    return [EntryPoint(each, each, PROJECT) for each in given]
