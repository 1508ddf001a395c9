"""The only caller of hooks: one typed method for each.

An :class:`Extensions` belongs to one organisation; there is none at module level.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

import pluggy

from nubetis import hookspecs
from nubetis.errors import NotFound, NubetisError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nubetis.data.files import FileFormat
    from nubetis.hookspecs import BlobStoreFactory
    from nubetis.model.fields import FieldType
    from nubetis.model.outbox import Message
    from nubetis.model.plan import Committed, Plan, Refusal
    from nubetis.model.schema import Module
    from nubetis.model.store import StoreFactory

__all__ = ["Extensions"]

T = TypeVar("T")

_log = logging.getLogger("nubetis")


class _Registry:
    """Collects what the registering hooks offer; see :class:`nubetis.hookspecs.Registry`."""

    def __init__(self) -> None:
        self.stores: dict[str, StoreFactory] = {}
        self.blob_stores: dict[str, BlobStoreFactory] = {}
        self.file_formats: dict[str, FileFormat] = {}

    def add_store(self, scheme: str, factory: StoreFactory) -> None:
        """Open URLs that begin with *scheme* by *factory*."""
        self.stores[scheme] = factory

    def add_blob_store(self, name: str, factory: BlobStoreFactory) -> None:
        """Offer a place for bytes."""
        self.blob_stores[name] = factory

    def add_file_format(self, file_format: FileFormat) -> None:
        """Offer a kind of file to import and export."""
        self.file_formats[file_format.name] = file_format


class Extensions:
    """The plug-ins of an organisation, the built-in ones first.

    A plug-in that raises stops what was asked of it with :class:`~nubetis.errors.PluginError`, which names it.
    """

    def __init__(self, plugins: Iterable[object] = (), *, entry_points: bool = False) -> None:
        self._manager: Final = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        for plugin in plugins:
            self._manager.register(plugin, name=self._name_for(plugin))
        if entry_points:
            self._manager.load_setuptools_entrypoints(hookspecs.PROJECT)
        self._manager.check_pending()
        self._registry: _Registry | None = None

    def _name_for(self, plugin: object) -> str:
        """Give the name by which errors will call *plugin*: its own, or that of its class, numbered where taken."""
        name = str(getattr(plugin, "__name__", type(plugin).__name__))
        tried = (name if number == 1 else f"{name} {number}" for number in count(1))
        return next(each for each in tried if not self._manager.has_plugin(each))

    def names(self) -> list[str]:
        """Give the names of the plug-ins, in the order of registration."""
        return [name for name, _ in self._manager.list_name_plugin()]

    # registering hooks -------------------------------------------------------------------------------------
    def _registered(self) -> _Registry:
        if self._registry is None:
            registry = _Registry()
            hook = self._manager.hook
            self._call("nubetis_stores", lambda: hook.nubetis_stores(registry=registry))
            self._call("nubetis_blob_stores", lambda: hook.nubetis_blob_stores(registry=registry))
            self._call("nubetis_file_formats", lambda: hook.nubetis_file_formats(registry=registry))
            self._registry = registry
        return self._registry

    def stores(self, scheme: str) -> StoreFactory:
        """Give the factory of the stores whose URLs begin with *scheme*.

        Raises:
            NotFound: ``unknown_scheme``.
        """
        known = self._registered().stores
        if scheme not in known:
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
        return _joined(self._call("nubetis_modules", self._manager.hook.nubetis_modules))

    def field_types(self) -> dict[str, FieldType]:
        """Give the field types by name."""
        found = _joined(self._call("nubetis_field_types", self._manager.hook.nubetis_field_types))
        return {each.name: each for each in found}

    def validate(self, plan: Plan) -> list[Refusal]:
        """Give what stands against *plan*."""
        return _joined(self._call("nubetis_validate", lambda: self._manager.hook.nubetis_validate(plan=plan)))

    def committed(self, committed: Committed) -> None:
        """Tell that one batch was stored; a plug-in that raises is logged, for what is stored is stored."""
        for implementation in self._manager.hook.nubetis_committed.get_hookimpls():
            arguments = dict.fromkeys(implementation.argnames, committed)  # a plug-in may leave it out
            try:
                self._call("nubetis_committed", partial(implementation.function, **arguments))
            except NubetisError as error:
                _log.error("%s", error, exc_info=error)

    def notify(self, messages: Sequence[Message]) -> Sequence[str]:
        """Deliver messages; give the keys of those taken."""
        taken = self._call("nubetis_notify", lambda: self._manager.hook.nubetis_notify(messages=messages))
        return taken or ()

    # errors ------------------------------------------------------------------------------------------------
    def _call(self, hook: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except NubetisError:
            raise
        except Exception as error:
            raise PluginError("plugin", plugin=self._culprit(error), hook=hook, reason=type(error).__name__) from error

    def _culprit(self, error: BaseException) -> str:
        """Give the plug-in in whose code *error* arose: by the object itself, or else by its module."""
        plugins = self._manager.list_name_plugin()
        found = "unknown"
        homes = {name: _home(plugin) for name, plugin in plugins}
        frames = error.__traceback__
        while frames is not None:
            owner, module = frames.tb_frame.f_locals.get("self"), frames.tb_frame.f_globals.get("__name__")
            own = [name for name, plugin in plugins if plugin is owner and plugin is not None]
            if not own and module != homes.get(found):
                own = [name for name, home in homes.items() if home == module]
            found = own[-1] if own else found
            frames = frames.tb_next
        return found


def _home(plugin: object) -> str:
    """Give the name of the module in which *plugin* is written, or which it is."""
    return str(getattr(plugin, "__module__", None) or getattr(plugin, "__name__", ""))


def _joined(answers: Iterable[Iterable[T]]) -> list[T]:
    """Join the answers of all plug-ins in the order of registration (pluggy gives the last first)."""
    return [each for answer in reversed(list(answers)) for each in answer]
