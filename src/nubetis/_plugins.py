"""The only caller of hooks: one typed method for each.

An :class:`Extensions` belongs to one organisation; there is none at module level.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import pluggy

from nubetis import hookspecs
from nubetis.errors import NotFound, NubetisError, PluginError
from nubetis.model.fields import FieldType
from nubetis.model.guards import guarded
from nubetis.model.nearest import suggest
from nubetis.model.plan import Refusal
from nubetis.model.schema import Module

if TYPE_CHECKING:
    from collections.abc import Callable

    from nubetis.data.files import FileFormat
    from nubetis.hookspecs import BlobStoreFactory
    from nubetis.model.blobs import BlobStore
    from nubetis.model.outbox import Message
    from nubetis.model.plan import Committed, Plan
    from nubetis.model.store import Store, StoreFactory

__all__ = ["Extensions"]

T = TypeVar("T")
_Named = TypeVar("_Named", Module, FieldType)

_log = logging.getLogger("nubetis")


_MOST: Final = 10_000
"""Modules or field types of one plug-in; whoever gives more gives them without end."""
_HOOK: Final = re.compile(r"hook '(\w+)'")
_ARGUMENTS: Final = re.compile(r"Argument\(s\) \{'(\w+)'")
"""What pluggy says of a hook that does not fit its specification."""
_KEYS: Final = "a list of the keys of messages was expected"
_STORE: Final = ("format", "read", "write", "migrate", "close", "clear", "discard")
_BLOBS: Final = ("put", "get", "delete")


def _failed(plugin: str, hook: str, reason: str) -> PluginError:
    return PluginError("plugin", plugin=plugin, hook=hook, reason=reason)


def _has(thing: object, names: Iterable[str]) -> bool:
    return all(callable(getattr(thing, name, None)) for name in names)


def _is_text(thing: object) -> bool:
    return isinstance(thing, str)


def _is_mapping(thing: object) -> bool:
    return isinstance(thing, Mapping)


def _first(answer: Iterable[T], most: int) -> list[T]:
    return list(islice(answer, most))


class _Registry:
    """Collects what the registering hooks offer; see :class:`nubetis.hookspecs.Registry`.

    *plugin* and *hook* say who is registering now.
    """

    def __init__(self) -> None:
        self.plugin = self.hook = ""
        self.stores: dict[str, StoreFactory] = {}
        self.blob_stores: dict[str, BlobStoreFactory] = {}
        self.file_formats: dict[str, FileFormat] = {}

    def add_store(self, scheme: str, factory: StoreFactory) -> None:
        """Open URLs that begin with *scheme* by *factory*."""
        self._require(_is_text(scheme) and callable(factory), "a scheme and a function that opens a store")
        plugin = self.plugin

        def opened(url: str, *, create: bool) -> Store:
            found = _called(plugin, "nubetis_stores", lambda: factory(url, create=create))
            if not _has(found, _STORE):
                raise _failed(plugin, "nubetis_stores", f"a store was expected, not {type(found).__name__}")
            return found

        self.stores[scheme] = opened

    def add_blob_store(self, name: str, factory: BlobStoreFactory) -> None:
        """Offer a place for bytes."""
        self._require(_is_text(name) and callable(factory), "a name and a function that gives a blob store")
        plugin = self.plugin

        def opened(store: Store) -> BlobStore:
            found = _called(plugin, "nubetis_blob_stores", lambda: factory(store))
            if not _has(found, _BLOBS):
                raise _failed(plugin, "nubetis_blob_stores", f"a blob store was expected, not {type(found).__name__}")
            return found

        self.blob_stores[name] = opened

    def add_file_format(self, file_format: FileFormat) -> None:
        """Offer a kind of file to import and export."""
        self._require(_is_text(getattr(file_format, "name", None)), "a file format with a name")
        self.file_formats[file_format.name] = file_format

    def _require(self, fits: bool, expected: str) -> None:  # noqa: FBT001 - a test
        if not fits:
            raise _failed(self.plugin, self.hook, f"{expected} were expected")


def _called(plugin: str, hook: str, call: Callable[[], T]) -> T:
    """Call what a plug-in gave; whatever it raises is the plug-in's error."""
    try:
        return call()
    except NubetisError:
        raise
    except Exception as error:
        raise _failed(plugin, hook, type(error).__name__) from error


def _loaded(entry: metadata.EntryPoint) -> object:
    """Load what is named; what is wrong is said by module, name and line, never with what a plug-in says itself."""
    try:
        return entry.load()
    except NubetisError:
        raise
    except Exception as error:
        raise _failed(entry.name, "its entry point", _why_not_loaded(entry, error)) from error


def _made(given: type, name: str) -> object:
    """Call a class that is a plug-in."""
    try:
        return given()
    except NubetisError:
        raise
    except Exception as error:
        file, line = _place_of(error)
        reason = f"it is made without arguments, and cannot be: {type(error).__name__} in line {line} of {file}"
        raise _failed(name, "its registration", reason) from error


def _why_not_loaded(entry: metadata.EntryPoint, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        if f"{entry.module}.".startswith(f"{error.name}."):
            return f"there is no module {error.name}: install it, or name its folder in PYTHONPATH"
        return f"module {entry.module} needs {error.name}, which is not installed"
    module = sys.modules.get(entry.module)
    if module is not None and isinstance(error, AttributeError):  # it was loaded, so it lacks what is named
        known = [name for name in vars(module) if not name.startswith("_")]
        return f"module {entry.module} has no {entry.attr}; {suggest(entry.attr, known).rstrip('.?')}"
    file, line = _place_of(error)
    return f"module {entry.module} cannot be loaded: {type(error).__name__} in line {line} of {file}"


def _place_of(error: Exception) -> tuple[str, int]:
    """Give the file and the line where *error* arose."""
    if isinstance(error, SyntaxError):
        return Path(error.filename or "").name, error.lineno or 0
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).name, line


def _require_sense(plugin: str, hook: str, given: Refusal) -> None:
    """Make sure that a refusal can be taken for one, and said."""
    if not _is_text(given.code) or not _is_mapping(given.params):
        raise _failed(plugin, hook, "a refusal has a code and its parameters by name")
    names = (given.module, given.record, given.field)
    if not all(each is None or _is_text(each) for each in names) or not isinstance(given.line, int | None):
        raise _failed(plugin, hook, "a refusal names module, record and field by texts, and a line by its number")
    _called(plugin, hook, partial(str, given))


class _Manager(pluggy.PluginManager):
    """Looks for hooks among public names only; the thirty that every object has cost more than all the rest."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """See pluggy."""
        return None if name.startswith("_") else super().parse_hookimpl_opts(plugin, name)


class Extensions:
    """The plug-ins of an organisation, the built-in ones first.

    A plug-in that raises stops what was asked of it with :class:`~nubetis.errors.PluginError`, which names it.
    """

    def __init__(self, plugins: Iterable[object] = (), *, entry_points: bool = False) -> None:
        self._manager: Final = _Manager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        installed = metadata.entry_points(group=hookspecs.PROJECT) if entry_points else ()
        for plugin in (*plugins, *installed):
            if isinstance(plugin, metadata.EntryPoint):
                self._register(_loaded(plugin), plugin.name)
            else:
                self._register(plugin, str(getattr(plugin, "__name__", type(plugin).__name__)))
        self._require_hooks()
        self._registry: _Registry | None = None
        self._types: dict[str, FieldType] | None = None

    def _register(self, given: object, called: str) -> None:
        """Take a plug-in in, if it has hooks and takes what they give; a class is called to make it.

        Errors will call it what it is *called*, numbered where that is taken.
        """
        names = (called if number == 1 else f"{called} {number}" for number in count(1))
        name = next(each for each in names if not self._manager.has_plugin(each))
        plugin = _made(given, name) if isinstance(given, type) else given
        hooks = [hook for hook in dir(plugin) if self._manager.parse_hookimpl_opts(plugin, hook) is not None]
        if not hooks:
            raise _failed(name, "its registration", "it has no hook: mark one with @nubetis.hookimpl")
        try:
            self._manager.register(plugin, name=name)
        except pluggy.PluginValidationError as error:
            raise self._mismatch(name, str(error)) from error
        except ValueError as error:
            raise _failed(name, "its registration", "it is registered already") from error

    def _mismatch(self, plugin: str, said: str) -> PluginError:
        """Give the error for a hook that asks for what it is not given, of which pluggy *said* so."""
        hook, wrong = _HOOK.search(said), _ARGUMENTS.search(said)
        if hook is None or wrong is None:
            return _failed(plugin, "its registration", "it cannot be registered")
        spec = getattr(self._manager.hook, hook[1]).spec
        return _failed(plugin, hook[1], f"it takes {', '.join(spec.argnames) or 'nothing'}, not {wrong[1]}")

    def _require_hooks(self) -> None:
        """Make sure that the plug-ins answer hooks that there are."""
        callers = vars(self._manager.hook)
        known = [name for name, caller in callers.items() if caller.has_spec()]
        for name, caller in callers.items():
            for each in caller.get_hookimpls() if name not in known else ():
                if not each.optionalhook:
                    raise _failed(each.plugin_name, name, f"no such hook; {suggest(name, known).rstrip('.?')}")

    def names(self) -> list[str]:
        """Give the names of the plug-ins, in the order of registration."""
        return [name for name, _ in self._manager.list_name_plugin()]

    def _implementations(self, caller: pluggy.HookCaller) -> list[pluggy.HookImpl]:
        """Give what the plug-ins have for a hook, in the order of registration; the last is asked first."""
        found = list(caller.get_hookimpls())
        for each in found:
            if each.hookwrapper or each.wrapper:
                raise _failed(each.plugin_name, caller.name, "a hook gives data, and none is wrapped round others")
        return found

    def _ask(self, implementation: pluggy.HookImpl, hook: str, *given: object) -> object:
        """Ask one plug-in; it may leave the argument out."""
        arguments = dict(zip(implementation.argnames, given, strict=False))
        return _called(implementation.plugin_name, hook, lambda: implementation.function(**arguments))

    def _gathered(
        self, caller: pluggy.HookCaller, kind: type[T], *given: object, most: int = _MOST
    ) -> Iterator[tuple[str, T]]:
        """Give what each plug-in answers, each of *kind*, with its plug-in, in the order of registration."""
        hook, expected = caller.name, f"a list of {kind.__name__} was expected"
        for each in self._implementations(caller):
            answer, name = self._ask(each, hook, *given), each.plugin_name
            if isinstance(answer, str | bytes | dict) or not isinstance(answer, Iterable):
                raise _failed(name, hook, f"{expected}, not {type(answer).__name__}")
            found: list[object] = _called(name, hook, partial(_first, answer, most + 1))
            if len(found) > most:
                raise _failed(name, hook, f"{expected}, not more than {most:,}")
            for item in found:
                if not isinstance(item, kind):
                    raise _failed(name, hook, f"{expected}, not one with {type(item).__name__} in it")
                yield name, item

    # registering hooks -------------------------------------------------------------------------------------
    def _registered(self) -> _Registry:
        if self._registry is None:
            registry = _Registry()
            hooks = self._manager.hook
            for caller in (hooks.nubetis_stores, hooks.nubetis_blob_stores, hooks.nubetis_file_formats):
                for each in self._implementations(caller):
                    registry.plugin, registry.hook = each.plugin_name, caller.name
                    self._ask(each, caller.name, registry)
            self._registry = registry
        return self._registry

    def stores(self, scheme: str) -> StoreFactory:
        """Give the factory of the stores whose URLs begin with *scheme*.

        Raises:
            NotFound: ``unknown_scheme``; ``meant_scheme``, it is written otherwise.
        """
        known = self._registered().stores
        if scheme not in known:
            for name in sorted(known):
                if scheme and (name.startswith(scheme) or scheme.startswith(name)):
                    raise NotFound("meant_scheme", scheme=scheme, meant=name)
            raise NotFound("unknown_scheme", scheme=scheme, known=", ".join(sorted(known)))
        return known[scheme]

    def blob_stores(self, name: str = "store") -> BlobStoreFactory:
        """Give the factory of a place for bytes."""
        return self._registered().blob_stores[name]

    def file_formats(self) -> list[FileFormat]:
        """Give the kinds of files."""
        return list(self._registered().file_formats.values())

    # hooks that give values --------------------------------------------------------------------------------
    def modules(self) -> list[Module]:
        """Give the modules that plug-ins add, the built-in ones first."""
        caller = self._manager.hook.nubetis_modules
        found = self._by_name(caller, Module, "module").values()
        for plugin, each in found:
            if each.id:
                raise _failed(plugin, caller.name, f"the id of {each.name} is for nubetis to give: leave it away")
        return [each for _, each in found]

    def field_types(self) -> dict[str, FieldType]:
        """Give the field types by name; what those of plug-ins raise is a plug-in's error."""
        if self._types is None:
            found = self._by_name(self._manager.hook.nubetis_field_types, FieldType, "field type")
            self._types = {name: guarded(each, plugin) for name, (plugin, each) in found.items()}
        return self._types

    def _by_name(self, caller: pluggy.HookCaller, kind: type[_Named], what: str) -> dict[str, tuple[str, _Named]]:
        found: dict[str, tuple[str, _Named]] = {}
        for plugin, each in self._gathered(caller, kind):
            if each.name in found:
                raise _failed(plugin, caller.name, f"there is a {what} {each.name} already")
            found[each.name] = plugin, each
        return found

    def validate(self, plan: Plan) -> list[Refusal]:
        """Give what stands against *plan*."""
        caller, most = self._manager.hook.nubetis_validate, _MOST + 100 * len(plan)
        found = list(self._gathered(caller, Refusal, plan, most=most))
        for plugin, each in found:
            _require_sense(plugin, caller.name, each)
        return [each for _, each in found]

    def committed(self, committed: Committed) -> None:
        """Tell that one batch was stored; a plug-in that raises is logged, for what is stored is stored."""
        for each in self._manager.hook.nubetis_committed.get_hookimpls():
            try:
                self._ask(each, "nubetis_committed", committed)
            except NubetisError as error:
                _log.error("%s", error, exc_info=error)

    def notify(self, messages: Sequence[Message]) -> Sequence[str]:
        """Deliver messages; give the keys of those taken."""
        caller = self._manager.hook.nubetis_notify
        hook = caller.name
        for each in reversed(self._implementations(caller)):
            taken = self._ask(each, hook, messages)
            if taken is None:
                continue
            if isinstance(taken, str) or not isinstance(taken, Iterable):
                raise _failed(each.plugin_name, hook, _KEYS)
            found: list[object] = _called(each.plugin_name, hook, partial(_first, taken, _MOST))
            if not all(map(_is_text, found)):
                raise _failed(each.plugin_name, hook, _KEYS)
            return [str(key) for key in found]
        return ()
