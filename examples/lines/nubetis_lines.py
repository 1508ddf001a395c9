"""An organisation in a file of JSON lines: what a store of one's own can look like.

The memory store answers, the file remembers: a unit of work runs in memory, and just before memory keeps it, one line
with the rows it touched is appended.  Opening plays the lines back; one without its end never counted, and is cut off.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nubetis import hookimpl
from nubetis.backends import open_memory
from nubetis.errors import Damaged, NotFound, StoreBusy, StoreError
from nubetis.hookspecs import Registry
from nubetis.model.bind import Bound
from nubetis.model.convert import missing_type, module_text, schema_of
from nubetis.model.fields import FieldType
from nubetis.model.kinds import BUILT_IN
from nubetis.model.schema import Module, Schema, SchemaStep, diff
from nubetis.model.store import Batch, Capabilities, Inserts, Outcome, Removals, Txn, Versions
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.types import Key, ModuleId, Row, Stored

T = TypeVar("T")


class LinesPlugin:
    """Opens ``lines:///path``, where fields may be of the built-in types and of *types*, which other plug-ins give."""

    def __init__(self, *types: FieldType) -> None:
        self._types = {**BUILT_IN, **{each.name: each for each in types}}

    @hookimpl
    def nubetis_stores(self, registry: Registry) -> None:
        """Register the store."""
        registry.add_store("lines", partial(open_lines, types=self._types))


def open_lines(url: str, *, create: bool, types: Mapping[str, FieldType] = BUILT_IN) -> LinesStore:
    """Open the file at ``lines:///path``, the fourth slash being that of an absolute one."""
    path = Path(url.partition(":///")[2])
    if not create and not path.exists():
        raise NotFound("no_database", url=url)
    return LinesStore(url, path, types)


class _Noting:
    """A transaction that notes which rows it touches; all else it leaves to the one it is made of."""

    def __init__(self, txn: Txn) -> None:
        self._txn = txn
        self.touched: dict[ModuleId, set[Key]] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it has
        return getattr(self._txn, name)

    def write(self, batch: Batch) -> Outcome:
        for part in batch.parts:
            self._touch(part.module, [row[0] for row in part.rows] if isinstance(part, Inserts) else part.keys)
        if batch.expects:
            self._touch(VERSIONS, [1])
        return self._txn.write(batch)

    def bulk_load(self, module: Module, rows: Iterable[Row]) -> int:
        note = self.touched.setdefault(module.id, set()).add
        noted = (note(row[0]) or row for row in rows)  # type: ignore[arg-type,redundant-expr]  # noting gives nothing
        return self._txn.bulk_load(module, noted)

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        for (keys,) in self._txn.stream(module, where, columns=["id"]):
            self._touch(module, keys)
        return self._txn.update_where(module, where, values)

    def _touch(self, module: Module, keys: Iterable[Stored]) -> None:
        self.touched.setdefault(module.id, set()).update(keys)  # type: ignore[arg-type]  # keys are numbers


class LinesStore:
    """Keeps an organisation in memory and in a file; one process has it at a time."""

    capabilities = Capabilities(name="lines", processes=False)

    def __init__(self, url: str, path: Path, types: Mapping[str, FieldType]) -> None:
        self._memory = m = open_memory("memory://", create=True)
        self.format, self.read, self.check, self.mend, self.facts = m.format, m.read, m.check, m.mend, m.facts
        self._path, self._types, self._schema = path, types, Schema()
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._play_back()
        except BaseException as error:  # noqa: BLE001 - raised again
            self.close()
            raise StoreBusy("store_busy", url=url, seconds=0) if isinstance(error, BlockingIOError) else error from None

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit in memory; what it touched is on the disk before memory keeps it."""

        def noted(txn: Txn) -> T:
            noting, counters = _Noting(txn), list(txn.stream(COUNTERS))
            result = unit(noting)  # type: ignore[arg-type]  # it has all that a transaction has
            txn.write(Batch())  # refused where the unit went on after a load that failed
            if counters != (now := list(txn.stream(COUNTERS))):  # those that are gone as well
                noting.touched[COUNTERS.id] = {key for keys, *_ in (*counters, *now) for key in keys}
            if noting.touched:
                self._append({"rows": list(self._rows(txn, noting.touched))})
            return result

        return self._memory.write(noted)

    def migrate(self, steps: Iterable[SchemaStep], schema: Schema, *, fence: Any = None) -> None:  # noqa: ANN401 - a call
        """Change the tables in memory, then say so; refused changes leave no line."""
        self._memory.migrate(steps, schema, fence=fence)
        self._schema = schema
        self._memory.write(lambda _: self._append(self._definition()))

    def snapshot(self, target: str, *, fence: Callable[[Txn], object] = Txn.versions) -> None:
        """Copy the file while no unit is under way."""
        self._memory.write(lambda txn: (fence(txn), shutil.copyfile(self._path, target)))

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:  # noqa: ARG002 - it is all one file
        """Write the file anew, with what there is and nothing of what was."""
        self._memory.write(self._write_anew)

    def clear(self, known: Iterable[Module] = ()) -> None:
        """Empty memory and the file."""
        self._memory.clear(known)
        self._schema = Schema()
        self._file.truncate(0)

    def discard(self) -> None:
        """Close, and leave no file of an organisation that nobody has set up."""
        if self.format() is None or self.read(lambda txn: txn.versions()) == Versions():
            self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, and of the lock on it."""
        self._file.close()
        self._memory.close()

    def _definition(self) -> dict[str, Any]:
        return {"schema": list(map(module_text, self._schema.modules)), "version": self._schema.version}

    def _rows(self, txn: Txn, touched: Mapping[ModuleId, Iterable[Key]]) -> Iterator[tuple[int, list[Key], list[Row]]]:
        for number, ordered in [(number, sorted(keys)) for number, keys in touched.items()]:
            yield number, ordered, [row for row in txn.get_many(self._schema.by_id[number], ordered) if row is not None]

    def _append(self, line: dict[str, Any]) -> None:
        end = self._file.seek(0, os.SEEK_END)
        text = json.dumps(line, default=lambda cell: {"bytes": base64.b64encode(cell).decode()})
        try:
            self._file.write(text.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            raise StoreError("store_failed", reason=str(error)) from error

    def _write_anew(self, txn: Txn) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        held = {m.id: [key for (keys,) in txn.stream(m, columns=["id"]) for key in keys] for m in self._schema.modules}
        old, self._file = self._file, fresh.open("w+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._append({**self._definition(), "rows": list(self._rows(txn, held))})
        fresh.replace(self._path)
        old.close()

    def _play_back(self) -> None:
        self._file.seek(0)
        for number, text in enumerate(self._file, start=1):
            if not text.endswith(b"\n"):
                self._file.truncate(self._file.tell() - len(text))
                return
            try:
                self._play(json.loads(text, object_hook=_bytes_back))
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise Damaged("damaged", what=str(self._path), reason=f"line {number}: {error}") from error

    def _play(self, line: dict[str, Any]) -> None:
        if "schema" in line:
            if missing := next(filter(None, [missing_type(each, self._types) for each in line["schema"]]), None):
                raise missing
            old, self._schema = self._schema, schema_of(line["schema"], types=self._types, version=line["version"])
            self._memory.migrate(diff(old, self._schema), self._schema)
        touched = [(self._schema.by_id[ModuleId(number)], keys, rows) for number, keys, rows in line.get("rows", ())]
        inserts = [Inserts(module, list(map(tuple, rows))) for module, _, rows in touched]
        self._memory.write(lambda txn: txn.write(Batch(parts=(*[Removals(m, k) for m, k, _ in touched], *inserts))))


def _bytes_back(found: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return base64.b64decode(found["bytes"]) if found.keys() == {"bytes"} else found
