"""What users read is said in Spanish, with the same names and numbers in it."""

from __future__ import annotations

import ast
import copy
import gettext
from functools import cache
from importlib import resources
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from nubetis.access.permissions import CATALOGUE
from nubetis.errors import MESSAGES, AccessDenied, InvalidFilter, InvalidValue, NotFound, NubetisError, Refused
from nubetis.i18n import (
    CARRIED,
    KINDS,
    LABEL,
    LANGUAGES,
    PHRASES,
    language_of,
    permission_in,
    phrase,
    render,
    translator,
)
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.filters import F
from nubetis.model.plan import Refusal
from nubetis.model.standard import base_schema
from nubetis.model.text import parse

SCHEMA = base_schema()
DEALS = SCHEMA.module("deals")


@cache
def written(language):
    """Give what the `.po` of *language* says: English → translation, of a text that counts both by their number."""
    place = resources.files("nubetis").joinpath("locale", language, "LC_MESSAGES", "nubetis.po")
    with place.open("rb") as file:
        found = list(read_po(file, locale=language))
    messages = [(f"{each.context}\x04{each.id}" if each.context else each.id, each.string) for each in found]
    alone = {text: said for text, said in messages if isinstance(text, str)}
    counted = [(text[0], said) for text, said in messages if not isinstance(text, str)]
    return alone | {(text, place): each for text, said in counted for place, each in enumerate(said)}


@cache
def compiled(language):
    """Give what the `.mo` of *language* says."""
    place = resources.files("nubetis").joinpath("locale", language, "LC_MESSAGES", "nubetis.mo")
    with place.open("rb") as file:
        return dict(gettext.GNUTranslations(file)._catalog)


def gaps(text):
    text = text if isinstance(text, str) else text[0]
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("code", MESSAGES)
def test_every_error_is_translated_with_the_same_placeholders(language, code):
    """Start `nox -s messages` after a new message, then translate it in the `.po` and start it again."""
    english = MESSAGES[code]
    said = written(language).get(english)

    assert said
    assert gaps(said) == gaps(english)


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_is_translated_with_the_same_placeholders(language, phrase):
    assert gaps(written(language)[phrase]) == gaps(phrase)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_label_of_a_standard_field_is_translated(language):
    labels = {each.label for module in SCHEMA.modules for each in (module, *module.all_fields)}

    assert [each for each in sorted(labels) if not written(language).get(f"{LABEL}\x04{each}")] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_permission_is_translated(language):
    """As what one may do, also where the same word elsewhere is what was done."""
    names = [each.value for each in CATALOGUE]

    assert [each for each in names if permission_in(language, each) == permission_in("en", each)] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_translation_has_the_placeholders_of_its_text(language):
    texts = {text: said for text, said in written(language).items() if text and said}

    assert {text: said for text, said in texts.items() if gaps(said) != gaps(text)} == {}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_compiled_catalogue_is_that_of_the_text(language):
    """Start `nox -s messages` after an edit of the `.po`."""
    texts = {text: said for text, said in written(language).items() if text and said}

    assert {text: said for text, said in compiled(language).items() if text} == texts


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_PE.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "ES_es@euro"}, "es"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "pt_BR.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "es_MX"}, "es"),
        ({"LANG": "es_MX", "LC_MESSAGES": "en_US", "LC_ALL": ""}, "en"),
        ({"LANG": "es_MX", "LC_ALL": "C"}, "en"),
        ({"LANG": "en", "LANGUAGE": "pt:es:en"}, "es"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_environment_says_the_language_as_gettext_reads_it(environ, language):
    assert language_of(environ) == language


def test_a_language_that_is_not_spoken_is_english():
    for language in ("en", "pt", "", "../es"):
        assert translator(language)("yes") == "yes"
        assert render(NubetisError("read_only_session"), language) == "This session may only read."


def test_a_column_that_is_called_as_a_label_keeps_its_name():
    assert phrase("Email fills Company", "es") == "Email rellena Company"


def test_the_empty_text_stays_empty():
    assert translator("es")("") == ""


def test_an_error_without_a_message_is_its_code():
    assert render(NubetisError("no_such_code"), "es") == "no_such_code"


def test_a_role_is_a_cargo():
    """Names and numbers are the same in every language; identifiers are never translated."""
    error = AccessDenied("denied", user="ana", action="edit", module="store")

    assert render(error, "es") == "ana no tiene permiso para esto en store: editar."


DENIED = [
    (
        {"user": "This user", "action": "export", "module": "deals"},
        "Este usuario no tiene permiso para esto en deals: exportar.",
    ),
    (
        {"user": "a@x.pe", "action": "sign in", "module": "this organisation"},
        "a@x.pe no tiene permiso para esto en esta organización: entrar.",
    ),
    ({"user": "This user", "action": "explain_access", "module": "this organisation"}, "explicar el acceso."),
    ({"user": "This user", "action": "mass_update", "module": "none"}, "en none: "),
]


@pytest.mark.parametrize(("params", "said"), DENIED)
def test_a_denial_is_said_to_the_last_word(params, said):
    assert said in render(AccessDenied("denied", **params), "es")


def test_every_denial_that_the_code_raises_has_its_words_in_spanish():
    """What stands in the code as a text; names of modules and e-mails are no words."""
    calls = [
        {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and [getattr(each, "value", "") for each in node.args[:1]] == ["denied"]
    ]
    assert len(calls) > 5
    for params in calls:
        said = render(AccessDenied("denied", **({"user": "x", "action": "view", "module": "y"} | params)), "es")
        assert [each for each in params.values() if each in said.removesuffix(".").split(": ")] == []
        assert "This user" not in said
        assert "this organisation" not in said


def test_a_hint_that_asks_ends_the_sentence():
    error = InvalidValue("bad_permissions", reason="no permission is called x. Did you mean mass_mail?")
    assert str(error).endswith("Did you mean mass_mail?")
    assert render(error, "es").endswith("¿Quiso decir mass_mail?")


def test_ways_of_an_explanation_are_translated():
    """Whoever it leads through, and not their names."""
    told = phrase("through group Front > role Rep and below > Pia", "es")
    assert told == "por grupo Front > cargo Rep y sus subordinados > Pia"
    assert phrase("with everybody", "es") == "con todos"
    told = phrase("rule x would apply if the owner were role Rep and below", "es")
    assert told == "la regla x valdría si el propietario fuera cargo Rep y sus subordinados"


def fault(text, **options):
    with pytest.raises(InvalidFilter) as caught:
        parse(text, **options)
    return caught.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "4: falta un valor."),
        ("stage is won", "6: is solo se usa en is empty. ¿Quiso decir =?"),
        ("closed in last 7 wek", "17: no existe esa unidad de periodo. ¿Quiso decir week?"),
        ("stage in won", "9: falta una lista entre paréntesis. Escriba in (a, b)."),
        ("or", '0: or va entre dos cosas. Para buscar la palabra, escriba "or".'),
    ],
)
def test_reasons_and_hints_are_translated_too(text, said):
    assert render(fault(text), "es") == f"El filtro no se entiende en el carácter {said}"


def test_the_error_of_a_field_type_is_translated_inside_the_one_of_the_filter():
    error = fault("closed = soon", module=DEALS)

    assert (
        render(error, "es")
        == "closed no se puede comparar con este valor: Esto no es una fecha. Escríbalo como 2026-01-31."
    )


def test_the_error_of_a_value_is_translated_inside_the_one_of_binding():
    with pytest.raises(InvalidFilter) as caught:
        bind(F.amount == "lots", DEALS, SCHEMA, Viewpoint(now=None))

    assert "amount espera un número finito" in render(caught.value, "es")


def test_an_error_that_travelled_is_said_as_far_as_it_can_be():
    """Where it came from is not copied; the outer sentence still is Spanish."""
    error = copy.copy(fault("closed = soon", module=DEALS))

    assert render(error, "es").startswith("closed no se puede comparar con este valor: ")


def test_an_error_in_an_error_is_translated():
    error = NubetisError("refused", count=2, first=InvalidValue("required", field="name"), hint="")

    assert render(error, "es") == (
        "El plan no se aplicó. Cambios rechazados: 2; el primero: name es obligatorio. Indique un valor."
    )


def test_what_a_user_wrote_is_not_translated():
    error = InvalidValue("unknown_user", user="a text")

    assert render(error, "es").startswith("No hay ningún usuario a text.")
    assert "x" * 600 in render(NubetisError("bad_argument", argument="a", reason="x" * 600), "es")


def test_names_of_fields_are_the_same_in_every_language():
    """``name`` is a word of the command line, too; in a hint it is what is to be typed."""
    hint = NotFound("unknown_field", module="accounts", field="nombre", hint="Did you mean name?")

    assert render(hint, "es").endswith("¿Quiso decir name?")
    assert phrase("record and name", "es") == "record and name"
    assert (
        render(InvalidValue("bad_argument", argument="x", reason="give module, file"), "es")
        == "x: indique module, file."
    )


def test_a_gap_ends_where_the_text_after_it_first_stands():
    """Or the name would take a part of the reason, and that would stay English."""
    said = phrase("Invalid value for '--anchor': it is no anchor: copy it whole, such as 12:00", "es")

    assert said == "Valor no válido para '--anchor': no es un ancla: cópiela entera, como 12:00"


AS_IT_IS = {"bytes", "U+0000", "7 at 7", "7", '"7"'}
"""What is the same in every language: names of types, characters, modules, places."""
PLACED = {"damage": 0, "misused": 1, "wrong": 2}
"""Function → place of the argument that an error carries."""
SOURCE = Path(str(resources.files("nubetis")))


def carried(path):
    """Give what calls in *path* let errors carry as words of nubetis's own; a gap is a 7."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            placed = node.args[PLACED[name] :][:1] if name in PLACED else []
            for each in [*placed, *[word.value for word in node.keywords if word.arg in CARRIED]]:
                yield from constants(each)


def constants(node):
    match node:
        case ast.IfExp():
            yield from [*constants(node.body), *constants(node.orelse)]
        case ast.BoolOp():
            yield from [text for each in node.values for text in constants(each)]
        case ast.Constant(value=str() as text) if text.strip():
            yield text
        case ast.JoinedStr():
            yield "".join([each.value if isinstance(each, ast.Constant) else "7" for each in node.values])


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_reason_that_the_code_gives_is_translated(language):
    """One with a gap stands in ``PHRASES``, one without is collected by `nox -s messages`; or it is no text."""
    ours = [path for path in SOURCE.rglob("*.py") if not {"testing", "samples"} & {*path.relative_to(SOURCE).parts}]
    said = {text for path in ours for text in carried(path)}

    assert len(said) > 100
    assert sorted(text for text in said - AS_IT_IS if phrase(text, language) == text) == []


def test_a_plan_that_is_refused_says_its_first_refusal_in_spanish():
    """With its place, as in English."""
    error = Refused("refused", count=2, first="line 3: name is required. Give it a value.", hint="")
    error.refusals = (Refusal(code="required", line=3, params={"field": "name"}),)
    assert render(error, "es") == (
        "El plan no se aplicó. Cambios rechazados: 2; el primero: línea 3: name es obligatorio. Indique un valor."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_there_is_none_of_is_declined(kind):
    said = render(NotFound("unknown_principal", kind=kind, name="X", hint=""), "es")
    assert said.startswith(("No hay ningún ", "No hay ninguna "))
    assert kind not in said


def test_a_level_in_a_sentence_is_a_word():
    error = AccessDenied("related_beyond", level="write", related="deals", given="none")
    assert "en deals este uso compartido daría: leer y escribir; tener el superior da: nada." in render(error, "es")
