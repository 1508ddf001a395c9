"""Errors: a code and parameters that fit its sentence, wherever one is raised."""

from __future__ import annotations

import ast
import copy
import inspect
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import errors
from nubetis.errors import MESSAGES, Conflict, InvalidFilter, InvalidValue, NotFound, NubetisError, Refused, sentence
from nubetis.model.plan import Refusal

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "nubetis"

RESERVED = {
    "bad_boolean": "issue 5: what a person types for yes and no, in the language of the formats",
    "empty_filter": "issue 6: bulk work that is given a filter as text",
    "read_only_session": "issue 4: sessions that look through another's eyes",
}
"""Codes that nothing raises yet, and what will."""

CLASSES = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, NubetisError)
]  # fmt: skip


def placeholders(code: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(MESSAGES[code]) if name is not None}


@cache
def sources() -> list[tuple[str, ast.Module]]:
    paths = sorted(SOURCE.rglob("*.py"))
    return [(str(path.relative_to(SOURCE)), ast.parse(path.read_text("utf-8"))) for path in paths]


def error_classes() -> set[str]:
    """Give the names of all classes of errors, those of one file too, and of what is as good as one."""
    names = {each.__name__ for each in CLASSES} | {"Refusal"}
    bases = [
        (each.name, {getattr(base, "id", "") for base in each.bases})
        for _, tree in sources()
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef)
    ]
    return names | {name for name, above in bases if above & names}


def makings() -> list[tuple[str, str, set[str] | None]]:
    """Give where an error is made, its code and its parameters (``None`` where they come in one mapping)."""
    classes, found = error_classes(), []
    for where, tree in sources():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in classes:
                continue
            keywords = {each.arg: each.value for each in call.keywords}
            code = call.args[0] if call.args else keywords.pop("code", None)
            if not isinstance(code, ast.Constant):
                continue
            names = _params_of(call, keywords)
            found.append((f"{where}:{call.lineno}", str(code.value), names))
    return found


def _params_of(call: ast.Call, keywords: dict[str | None, ast.expr]) -> set[str] | None:
    if call.func.id != "Refusal":
        return None if None in keywords else {str(name) for name in keywords}
    given = keywords.get("params")
    if not isinstance(given, ast.Dict):
        return None if given is not None else set()
    return {str(key.value) for key in given.keys if isinstance(key, ast.Constant)}


EXTRA = {"end", "hint", "position"}
"""Parameters beyond the sentence: the span of a filter's text, and a hint that some callers show."""


def test_many_errors_are_looked_at():
    """The reading of the source finds what it should: otherwise the rules below would hold of nothing."""
    assert len(makings()) > 150
    assert len({code for _, code, _ in makings()}) > 55


def test_every_code_that_is_raised_has_a_sentence():
    assert [(where, code) for where, code, _ in makings() if code not in MESSAGES] == []


def test_the_parameters_of_each_error_fill_its_sentence():
    wrong = [
        (where, code, sorted(names ^ placeholders(code)))
        for where, code, names in makings()
        if names is not None and (placeholders(code) - names or names - placeholders(code) - EXTRA)
    ]
    assert wrong == []


def test_every_sentence_is_used_or_reserved_for_an_issue():
    """A code counts as used where its text stands in the source, whatever passes it on."""
    said = {
        each.value
        for where, tree in sources()
        if where != "errors.py"
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    assert sorted(RESERVED) == sorted(set(MESSAGES) - said)


def test_a_code_is_a_name():
    assert [code for code in MESSAGES if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_a_sentence_begins_like_one_and_ends_like_one():
    """But for what a host writes itself, and what ends with a text of somebody else."""
    whole = {code: text for code, text in MESSAGES.items() if not text.endswith("}")}
    assert [code for code, text in whole.items() if not text.endswith(".")] == []
    assert [code for code, text in MESSAGES.items() if not (text[0].isupper() or text[0] == "{")] == []


def test_placeholders_are_plain_names():
    """No attribute, no index and no format: a sentence of another language is filled the same way."""
    fields = [(code, name, spec) for code, text in MESSAGES.items() for _, name, spec, _ in Formatter().parse(text)]
    assert [(code, name) for code, name, spec in fields if name is not None and (not name.isidentifier() or spec)] == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_being_copied(kind):
    """Copying goes the way of sending: what a worker raises reaches the one who waits, whole."""
    error = kind("stale", id="dea_1", actual=3, expected=2)
    error.add_note("while importing")
    twin = copy.copy(error)
    assert (kind, "stale", error.params, str(error)) == (type(twin), twin.code, twin.params, str(twin))
    assert ["while importing"] == twin.__notes__


def test_a_conflict_keeps_both_values_when_copied():
    error = Conflict("stale", id="dea_1", actual=3, expected=2)
    error.mine, error.theirs = {"stage": "won"}, {"stage": "lost"}
    twin = copy.deepcopy(error)
    assert ({"stage": "won"}, {"stage": "lost"}) == (twin.mine, twin.theirs)


def test_a_refused_plan_keeps_its_refusals_when_copied():
    error = Refused("refused", count=1, first="x", hint="")
    error.refusals = (Refusal(code="required", params={"field": "name"}),)
    assert error.refusals == copy.copy(error).refusals


@pytest.mark.parametrize("code", MESSAGES)
def test_an_error_can_be_shown_whatever_is_missing(code):
    """To speak of an error must not raise another: a missing parameter stays a placeholder."""
    shown = str(NubetisError(code))
    assert placeholders(code) == {name for _, name, _, _ in Formatter().parse(shown) if name}


def test_a_code_without_sentence_shows_itself():
    assert str(NubetisError("something_of_a_plug_in", a=1)) == "something_of_a_plug_in"


@given(st.text())
def test_a_parameter_is_shown_to_the_letter(text):
    """Braces in what a user gave are no placeholders, and nothing of it is looked up."""
    assert f"x {text} y" == sentence("x {field} y", {"field": text})


def test_an_empty_hint_leaves_no_trace():
    assert str(NotFound("unknown_module", module="dealz", hint="")) == "There is no module dealz."


def test_a_refusal_says_what_its_error_would():
    params = {"field": "name"}
    assert str(Refusal(code="required", params=params)) == str(InvalidValue("required", **params))


def test_a_refusal_names_the_record_or_the_line_first():
    params = {"field": "name"}
    told = [
        str(Refusal(code="required", params=params, **where)) for where in ({"line": 3}, {"record": "dea_1"}, {})
    ]  # fmt: skip
    said = "name is required. Give it a value."
    assert [f"line 3: {said}", f"dea_1: {said}", said] == told


def test_a_refusal_of_a_plug_in_may_forget_its_parameters():
    assert str(Refusal(code="bad_rule")) == "{message}"


@pytest.mark.parametrize(
    ("kind", "builtin"), [(InvalidValue, ValueError), (NotFound, LookupError), (errors.MissingExtra, ImportError)]
)
def test_an_error_is_also_what_a_caller_of_python_expects(kind, builtin):
    assert issubclass(kind, builtin)


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted(each.__name__ for each in CLASSES if each is not NubetisError) == sorted(drawn)


def test_a_filter_error_is_caught_as_a_bad_value():
    with pytest.raises(ValueError, match="no truth of its own"):
        raise InvalidFilter("filter_truth")
