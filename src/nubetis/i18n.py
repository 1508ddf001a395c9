"""What users read, in their language.

The English text is the key (gettext); a text without translation stays English.  Catalogues lie in the package,
``locale/<language>/LC_MESSAGES/nubetis.po``, are renewed by ``nox -s messages`` and read on first use.  Nothing
here looks at the process: the environment is handed in.
"""

from __future__ import annotations

import gettext
import re
from functools import cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING, Final

from nubetis.errors import MESSAGES, SYSTEM_REASONS, NubetisError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "CARRIED",
    "DEEDS",
    "KINDS",
    "LABEL",
    "LANGUAGES",
    "NONE",
    "PERMISSION",
    "PHRASES",
    "counter",
    "label_in",
    "language_of",
    "permission_in",
    "phrase",
    "printable",
    "render",
    "translator",
]

LANGUAGES: Final = ("en", "es")
"""Languages that nubetis speaks; the first is that of the texts in the code."""

PHRASES: Final = (
    "Did you mean {name}?",
    "Known: {names}.",
    "Did you mean {name}",
    "Known: {names}",
    "{what} is missing",
    "Table {name}",
    "it lacks {names}",
    "{what} is no number of a module or field",
    "{what} is no object",
    "{what} is not active",
    "{what} is nubetis's own; name functions",
    "{permission} needs {need} with it",
    "{what} is nubetis's own, and not shared",
    "a field is one of {names}",
    "no permission is called {name}. {hint}",
    "no permission is called {name}",
    "rule {name} would apply if {way}",
    "the {kind} with {way} ended at {when}",
    "rule {name} gives it to role {target} and below",
    "rule {name} gives it to role {target}",
    "rule {name} gives it to group {target}",
    "rule {name} gives it to {way}",
    "hierarchy would apply if the owner were below role {name}",
    "acting for {name} would do",
    "the owner were {way}",
    "{what} gives {level}",
    "gives {level}",
    "profile {name}",
    "permission set {name}",
    "without {name}",
    "parent {name}",
    "had by {way}",
    "peers would apply if those of role {name} saw each other's records",
    "through {way}",
    "with {way}",
    "ended at {when}",
    "as one above",
    "{way} and below",
    "role {name}",
    "rule {name}",
    "hierarchy",
    "group {name}",
    "there is nothing called {name} in them",
    "This user",
    "this organisation",
    "everybody",
    "{name} is a whole number from {number} on",
    "{name} is true or false",
    "give the features that it lacks as a list",
    "give the modules that it lacks as a list",
    "it is an object of limits and of what it lacks",
    "no feature is called {name}. {hint}",
    "it has no {name}. {hint}",
    "{what} is nubetis's own; name modules of records",
    "its parents lead back to where they begin: {names}",
    "at most {count} modules may be parents in a row, and there would be more: {names}",
    "field {field} of module number {number}",
    "module number {number}",
    "A record of people or sharing",
    "nobody knows the setting {name}; those of nubetis are schema and profile",
    "{word} cannot stand here",
    "{word} stands between two things",
    "{name} leads to no module: name one",
    "{name} would begin with a choice that is retired: give another, or none",
    "{name} has several parts, and none stands for it",
    "{name} is no link, and leads nowhere: leave them away",
    "that of {name} is for nubetis to give: leave it away",
    "the id of {name} is for nubetis to give: leave it away",
    "{name} has nothing to choose from: give choices, or make it a text",
    "{word} joins no conditions",
    'Write {name}; or, for the word, "{word}".',
    'To look for the word, write "{word}".',
    'Write is empty; or, for the text, "{word}".',
    "Write {example}.",
    "read a text first: nubetis.model.text.parse(text, module=…)",
    "{what} has no text form",
    "unknown key {key}",
    "{name} is called {key} here",
    "give {expected}, not {given}",
    "give {values}",
    "a record or its id",
    "a whole number",
    "names of fields",
    "measures by name",
    "values by field",
    "values by field, by record id",
    "a list of values by field",
    "a list of values",
    "a list of choices",
    "a list of fields",
    "a list of names",
    "a list of steps",
    "a path, bytes, an open file or rows",
    "a path, bytes, an open file or rows (columns by name go to Table)",
    "rows as values by column",
    "what duplicates() gave",
    "a table such as nubetis.read(…) gives, or batches",
    "what map_table(…) gives, or .changed(…) of it",
    "an e-mail, a handle or a record id",
    "the name of one field",
    "how many records, not {count}",
    "a function",
    "a text",
    "a plan",
    "a text such as '1200.00', a Decimal or a whole number",
    "no such hook; {hint}",
    "it takes {names}, not {word}",
    "there is no module {module}: install it, or name its folder in PYTHONPATH",
    "module {module} needs {name}, which is not installed",
    "module {module} has no {name}; {hint}",
    "its entry point",
    "its registration",
    "it is made without arguments, and cannot be: {name} in line {number} of {file}",
    "module {module} cannot be loaded: {name} in line {number} of {file}",
    "it is no anchor: copy it whole, such as {example}",
    "it does not link to {module}",
    "{people} is a user",
    "{what} is no filter",
    "no such operator; {hint}",
    "nubetis writes {name} without it",
    "no such setting; {hint}",
    "this is no {what}",
    "this is no stored {type}",
    "a later nubetis wrote this (format {found}; this one knows {known})",
    "the chain does not hold the anchor: its end was cut off or it was written anew",
    "the value of field {number} in change {key}",
    "the operation of entry {key} is gone",
    "entry {key} is gone",
    "entry {key}, its operation or one of its changes is not what was written",
    "seal {key} does not fit entry {entry} and the seal before it",
    "seals {first} to {last} are gone",
    "change {key} cannot be read",
    "change {key} belongs to no entry",
    "entry {key} names a seal that is not its own",
    "no column fills a field of {module}",
    "it is in {currency}, the organisation counts in {name}",
    "{field} cannot hold its values",
    "{column} fills {field}",
    "another column was chosen",
    "the field's name",
    "the field's label",
    "a synonym",
    "the whole name",
    "no field has such a name",
    "it says why the row was refused",
    "nubetis sets it; an import makes new records and changes none",
    "chosen",
    "there is no encoding {name}",
    "a quoted cell begins here and never ends",
    "the row that begins here cannot be read ({fault})",
    "the row that begins here has more than 16,384 cells",
    "the row that begins here is longer than {count} characters",
    "nearly all of its cells are empty: this is no table",
    "the objects up to here have more than 1,500 keys: this is no table",
    "it unpacks to more than {count} bytes: unpack it yourself if you trust it",
    "it is longer than {count} bytes and no file: write it to one",
    "no file can have such a name",
    "it holds a NUL character, which text never does",
    "the line is longer than {count} characters",
    "this is not JSON ({fault})",
    "this is JSON, but not an object",
    "it holds a character that no text may hold",
    "Missing command.",
    "Missing argument {name}. Choose from: {values}",
    "Missing option {name}. Choose from: {values}",
    "Missing argument {name}.",
    "Missing option {name}.",
    "No such command {name}.",
    "No such option {name}.",
    "Option {name} requires an argument.",
    "Option {name} does not take a value.",
    "Got unexpected extra argument {name}",
    "encoding",
    "delimiter",
    "header",
    "none",
    "line {number}",
    "it was given",
    "every byte fits",
    "the file begins with its mark",
    "every other byte is zero",
    "it holds zero bytes, as no text does",
    "no code page makes words of its letters",
    "its letters make words",
    "its rows are of one width",
    "the file is empty",
    "a blank line sets it apart",
    "the first row holds numbers, dates or addresses",
    "the first full row holds names",
    "it holds two numbers",
    "it holds letters or signs that are no part of a number",
    "it has fewer than 3 digits",
    "it has more than 15 digits",
    "no country's code begins with 0",
    "it has no columns",
    "a page has 1 to {count} records",
    "Got unexpected extra arguments {names}",
    "Invalid value for {name}: {reason}",
    "{value} is not a valid integer.",
    "{value} is not a valid integer range.",
    "{value} is not one of {values}.",
    "None of {records} records has a value in {field}, and nothing else speaks of it.",
    "Retire the field; purge it later.",
    "None of {records} records has a value in {field}, though filters, rules or indexes speak of it.",
    "Fill the field, or take it out of what speaks of it and retire it.",
    "All {records} records have the default in {field}.",
    "Ask whether anybody needs the choice; if not, retire the field.",
    "{field} is {type}, and all its {filled} values read as {kind}.",
    "Make a new field of that type, copy the values, retire the old one.",
    "{field} is {type}, and its {filled} values are only {distinct} different ones.",
    "Make a new choice field with these values, copy them, retire the old one.",
    "{field} is indexed, and no stored filter or rule asks for it.",
    "Where no host asks for it either, take the index away: each write keeps it up.",
    "{field} and {other} have the same label.",
    "Give one of them another label.",
    "{value} is not in the range {range}.",
    "the system refuses ({name})",
    "The definition of a module",
    "A setting of the organisation",
    "Change {key} of the journal",
    "Entry {key} of the journal",
    "Operation {key} of the journal",
    "File {name}",
    "it is the title of {module}",
    "counts are kept by it",
    "an index names it",
    "nubetis did not write it so ({name})",
    "module {name} keeps it for ever",
    "it asks for {field}",
    "nubetis alone says {cause}",
    "it follows {links} links, and {most} are the most, those from what belongs to its records included",
    "{count} shares go on from its parent to more than that: let them give less, or end them",
    "the number of a module is given once: leave it to nubetis",
    "the number of a field is given once: leave it to nubetis",
    "name a user, a role (with + for those below it), a group, or everybody",
    "a team has users; share it with others",
    "nobody is there with whom it would be",
    "there is no such record",
    "its owner has all of the record already",
    "it would be over already",
    "PostgreSQL reports {name}",
    "a file without suffix",
    "a file that begins so",
    "it is no database of nubetis",
    *dict.fromkeys(SYSTEM_REASONS.values()),
)
"""Texts with a gap that errors carry as parameters, from where they are made."""

CARRIED: Final = frozenset({"reason", "hint", "hook", "what", "expected", "because", "suffix"})
"""Parameters of errors that hold nubetis's own words; all others are names and numbers, the same everywhere."""

_WORDED: Final = CARRIED | {"fault", "kind", "type", "way", "level"}
"""Gaps of phrases that hold nubetis's own words; what fills the others is a name, the same in every language."""

LABEL: Final = "label"
"""The context of labels in the catalogues."""

PERMISSION: Final = "permission"
"""The context of permissions in the catalogues: verbs, where the same English word elsewhere is a noun."""

DEEDS: Final = ("sign in", "work", "look on")
"""What one may do or not without a permission; said in the same context."""

NONE: Final = "there is no"
"""The context of kinds of which there is none: languages decline what stands before them."""

KINDS: Final = ("role", "profile", "permission set", "group", "sharing rule")
"""What people make and name."""

_STANDING: Final = {"user": ("This user",), "module": ("this organisation",)}
"""Words of nubetis's own that stand in errors where else a name does."""

_FAR: Final = {"none": "nothing", "read": "read", "write": "read and write", "delete": "all"}
"""Levels as words."""

_LONGEST: Final = 500


def language_of(environ: Mapping[str, str]) -> str:
    """Give the language that an environment asks for: the first known of LANGUAGE, LC_ALL, LC_MESSAGES, LANG.

    As gettext does, only the first of these that is set counts; it may list several languages.

    >>> language_of({"LANG": "es_PE.UTF-8"}), language_of({"LC_ALL": "C", "LANG": "es_PE.UTF-8"})
    ('es', 'en')
    """
    asked = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    wanted = [_base(each) for each in asked.split(":")]
    return next((each for each in wanted if each in LANGUAGES), LANGUAGES[0])


_VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def translator(language: str) -> Callable[[str], str]:
    """Give the function that says an English text in *language*, ``_`` by custom.

    >>> _ = translator("es_PE")
    >>> _("This session may only read."), _("no such text")
    ('Esta sesión solo puede leer.', 'no such text')
    """
    catalogue = _catalogue(_base(language))
    return lambda text: catalogue.gettext(text) if text else ""  # the empty key is the catalogue's header


def label_in(language: str, label: str) -> str:
    """Give the label of a standard field or module in *language*; any other stays as it is.

    Labels have a context of their own in the catalogues: a user's word that is written as one is not translated.

    >>> label_in("es", "Last name"), label_in("es", "Shoe size")
    ('Apellidos', 'Shoe size')
    """
    return _catalogue(_base(language)).pgettext(LABEL, label)


def permission_in(language: str, permission: str) -> str:
    """Give the words for a permission, such as ``mass_update``, in *language*: what one may do, not what was done.

    >>> permission_in("en", "mass_update")
    'mass update'
    """
    return _catalogue(_base(language)).pgettext(PERMISSION, permission.replace("_", " "))


def counter(language: str) -> Callable[[str, str, int], str]:
    """Give the function that says one of two English texts, as a count asks for, in *language*.

    >>> counter("es")("{count} row", "{count} rows", 1)
    '{count} fila'
    """
    return _catalogue(_base(language)).ngettext


def render(error: NubetisError, language: str) -> str:
    """Give the sentence of *error* in *language*; its reasons and hints too, where they are nubetis's own words.

    >>> from nubetis.errors import NotFound
    >>> render(NotFound("unknown_module", module="dealz", hint="Did you mean deals?"), "es")
    'No hay ningún módulo dealz. ¿Quiso decir deals?'
    """
    if _base(language) not in LANGUAGES[1:]:
        return str(error)
    _ = translator(language)
    sentence = _(MESSAGES.get(error.code, error.code))
    own = {name: _worded(name, value, language) for name, value in error.params.items()}
    own |= {name: _said(error.params[name], error, language) for name in CARRIED & error.params.keys()}
    inner = {name: render(each, language) for name, each in error.params.items() if isinstance(each, NubetisError)}
    if error.code == "refused" and isinstance(error, Refused) and error.refusals:
        inner["first"] = _refusal(error.refusals[0], language)
    return NubetisError(error.code, **{**error.params, **own, **inner}).message(sentence)


def _refusal(refusal: object, language: str) -> str:
    """Give the sentence of a refusal behind its place."""
    record, line = getattr(refusal, "record", None), getattr(refusal, "line", None)
    said = render(NubetisError(getattr(refusal, "code", ""), **getattr(refusal, "params", {})), language)
    where = record or ("" if line is None else phrase(f"line {line}", language))
    return f"{where}: {said}" if where else said


def _worded(name: str, value: object, language: str) -> object:
    """Give a parameter that is a word of nubetis's own, and no name, in *language*; any other as it is."""
    if name == "action":
        return permission_in(language, str(value))
    if name == "kind" and value in KINDS:
        return _catalogue(_base(language)).pgettext(NONE, str(value))
    if name in {"level", "given"} and value in _FAR:
        return translator(language)(_FAR[str(value)])
    return translator(language)(str(value)) if value in _STANDING.get(name, ()) else value


def _said(value: object, error: NubetisError, language: str) -> object:
    """Give a parameter in *language*."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return value
    inner = error.__cause__ or error.__context__
    if isinstance(inner, NubetisError) and value.rstrip(".") == str(inner).rstrip("."):
        return render(inner, language).rstrip(".") + ("." if value.endswith(".") else "")
    return _phrase(value, translator(language))


def printable(text: str, *, keep: str = "") -> str:
    r"""Give *text* with a blank for each character that a terminal may obey: controls, escapes, turns of direction.

    Every text that reaches a terminal goes through here; *keep* names what may stay.

    >>> printable("a\x1b[31mb\u202ec\n", keep="\n")
    'a [31mb c\n'
    """
    return "".join([char if char.isprintable() or char in keep else " " for char in text])


def phrase(text: str, language: str) -> str:
    """Give *text* in *language* where it is one of :data:`PHRASES` with its gaps filled; any other stays as it is.

    >>> phrase("Missing argument 'FILE'.", "es")
    "Falta el argumento 'FILE'."
    """
    return _phrase(text, translator(language))


def _phrase(text: str, _: Callable[[str], str], *, depth: int = 4) -> str:
    """Give *text* in another language, if it is a phrase of ours, with what fills its gap."""
    whole = _(text)
    if whole != text or depth == 0:
        return whole
    for phrase, pattern in _patterns().items():
        found = pattern.fullmatch(text)
        if found is not None and _(phrase) != phrase:
            gaps = {name: _filled(name, each, _, depth=depth - 1) for name, each in found.groupdict().items()}
            return _(phrase).format_map(gaps)
    return text


def _filled(name: str, text: str, _: Callable[[str], str], *, depth: int) -> str:
    """Give what fills the gap *name* in another language, if it is words of ours; a way is said step by step."""
    if name not in _WORDED:
        return text
    steps = text.split(" > ") if name == "way" else [text]
    return " > ".join([_phrase(each, _, depth=depth) for each in steps])


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {phrase: re.compile(_pattern(phrase), re.DOTALL) for phrase in PHRASES}


def _pattern(phrase: str) -> str:
    pieces = Formatter().parse(phrase)
    return "".join([re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _, _ in pieces])


def _base(language: str) -> str:
    """Give ``es`` for ``es_PE.UTF-8``."""
    return re.split(r"[^a-z]", language.lower(), maxsplit=1)[0]


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language not in LANGUAGES[1:]:
        return gettext.NullTranslations()
    place = resources.files("nubetis").joinpath("locale", language, "LC_MESSAGES", "nubetis.mo")
    with place.open("rb") as file:
        return gettext.GNUTranslations(file)
