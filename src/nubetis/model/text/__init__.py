r"""The text form of filters, both ways, in one syntax that knows no locale.

::

    owner = me and stage in (won, lost) and closed in last quarter and amount > 1000.5 "acme corp" not test

Grammar
-------
::

    filter     = all { "or" all }
    all        = term { ["and"] term }                       side by side means "and"
    term       = { "not" } ( "(" filter ")" | "everything" | "nothing" | has | condition | keyword )
    has        = "has" MODULE "by" FIELD [ "(" filter ")" ]
    condition  = FIELD ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
               | FIELD "is" ["not"] "empty"
               | FIELD ["not"] ( "in" | "any of" | "all of" ) ( "(" [ value { "," value } ] ")" | relative )
               | FIELD ["not"] "older than" COUNT UNIT
               | FIELD ["not"] "between" value "and" value
               | FIELD ["not"] ( "contains" | "starts with" | "ends with" | "matches" ) TEXT
               | FIELD ["not"] "linked" "(" filter ")"
               | FIELD ["not"] "changed" [ ( "from" | "to" ) value ]
    keyword    = WORD | '"' characters '"'                 looked for in all searchable fields
    relative   = period | people
    value      = text, number, date, time, instant, true, false, relative,
                 1200 PEN, 2026-01-31T09:00:00 America/Lima
    period     = today | yesterday | tomorrow | (this | last | next) [COUNT] UNIT | older than COUNT UNIT
    UNIT       = day(s) week(s) month(s) quarter(s) year(s), fiscal quarter(s), fiscal year(s)
    people     = me | my team | my subordinates

An instant compared with a date is compared with that whole day in the viewer's zone.

The words of the syntax are read in any case; in quotes they are texts like others.  Quotes know the escapes
``\"``, ``\\``, ``\n``, ``\t``, ``\r`` and ``\u0000``.

Laws: ``parse(show(f)) == canonical(f)``, and ``canonical`` changes nothing that ``&``, ``|`` and ``~`` have
built of plain values; ``show(parse(t))`` is a fixpoint.  Reading takes time in proportion to the text, and
executes nothing.
"""

from nubetis.model.text.parse import parse
from nubetis.model.text.show import canonical, show

__all__ = ["canonical", "parse", "show"]
