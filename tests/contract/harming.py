"""What harms each thing that a store on SQL derives from people, and leaves their rows."""

from __future__ import annotations

from typing import Final

HARM: Final = {
    "twins": "UPDATE people SET name__f = 'harmed' WHERE size = 1",
    "sets": "DELETE FROM people__marks",
    "tallies": "DELETE FROM tallies",
    "indexes": "DROP INDEX people__ix__size",
}
