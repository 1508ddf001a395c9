"""The memory store: the Store contract in the plainest Python that is not slow.

Theory
------
The whole organisation is one value that never changes: a mapping of module id →
:class:`~nubetis.backends.memory.tables.Table`, each with its rows in a
:class:`~nubetis.backends.memory.sorted_map.SortedMap`.  Every write makes a new value, which shares with the old one
what it did not touch.  The rest follows:

*   a read unit holds the value it began with, and no writer disturbs it;
*   a write unit goes from value to value; commit puts the last one in the place of the first, failure drops it;
*   a savepoint, or a batch, keeps the value before it and takes it back;
*   a stream reads the value at which it was opened, whatever its unit writes meanwhile.

Writers queue on one lock, so they are serial.  Tables keep *full* rows: the columns, then the folded twins.  What
is derived from rows (values taken by unique columns, tallies) changes with the row.

``memory://name`` names an organisation of this process.  It lives until the process ends or :func:`forget_memory`
is called; closing lets go of the handle only, so that it can be opened again as a file can.  ``memory://`` makes
one without a name, which goes with its handle.

There is no snapshot: a copy in a file would need a reader of its own.  A back-up is a copy into an SQLite store
(:mod:`nubetis.backends.copying`).
"""

from nubetis.backends.memory.store import MemoryStore, forget_memory, open_memory

__all__ = ["MemoryStore", "forget_memory", "open_memory"]
