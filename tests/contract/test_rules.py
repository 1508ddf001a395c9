"""Each sentence of the Store contract names the cases that hold a store to it, and each case a sentence."""

from __future__ import annotations

import ast
import inspect
import re
from itertools import chain
from pathlib import Path

import pytest

from nubetis.model import store as contract
from nubetis.testing.store_contract import StoreContract
from nubetis.testing.store_contract.rules import BEYOND, RULES

WHOLE = "The contract"
CASES = {name.removeprefix("test_") for name in dir(StoreContract) if name.startswith("test_")}


NEEDS = {
    "savepoints": (".savepoint()", "_lose("),
    "linked_filters": ("Linked(", "Linking(", "linked=True"),
    "snapshots": ("open_snapshot(",),
    "processes": ("self._begin(", "nullcontext(store)"),
    "durable": ("lambda: closing(self.open_store(tmp_path))", "killing(self.factory"),
}
"""What a case that uses it must ask for first."""


def sentences(text):
    """Give the sentences of a docstring; headings and the word of a section are none."""
    text = re.sub(r"^.*\n-+$|^Raises:$", "", text, flags=re.MULTILINE)
    parts = re.split(r"\n\s*\n|\n(?=\d+\.\s)|\n(?=\s*[A-Z]\w+: )", text)
    plain = [re.sub(r"^\d+\.\s+", "", " ".join(part.split())) for part in parts]
    return [each for part in plain if part for each in re.split(r"(?<=[.!?])\s+(?=[A-Z*:`])", part)]


def described(node, prefix=""):
    """Give each thing that *node* describes, with its docstring: classes, methods, and attributes by the text below."""
    for each, below in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(each, ast.ClassDef | ast.FunctionDef):
            yield prefix + each.name, ast.get_docstring(each) or ""
            yield from described(each, f"{prefix}{each.name}.") if isinstance(each, ast.ClassDef) else ()
        elif isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            target = each.targets[0] if isinstance(each, ast.Assign) else getattr(each, "target", None)
            yield from [(prefix + target.id, below.value.value)] if isinstance(target, ast.Name) else []


def said():
    """Give what the contract says, by place, in its order."""
    tree = ast.parse(Path(contract.__file__).read_text("utf-8"))
    found = {WHOLE: sentences(ast.get_docstring(tree))}
    found |= {place: list(dict.fromkeys(sentences(text))) for place, text in described(tree)}
    return {place: texts for place, texts in found.items() if texts}


def test_the_table_has_every_sentence_of_the_contract():
    assert said() == {place: list(table) for place, table in RULES.items()}


def test_every_sentence_has_a_case_or_says_why_none_can_be():
    bare = [sentence for table in RULES.values() for sentence, cases in table.items() if not cases]
    assert sorted(BEYOND) == sorted(bare)
    assert all(Path(__file__).parents[2].joinpath(place).is_file() for place in BEYOND.values())


def test_every_case_belongs_to_a_sentence():
    named = set(chain.from_iterable(cases for table in RULES.values() for cases in table.values()))
    assert named == CASES


@pytest.mark.parametrize("capability", NEEDS)
def test_a_case_that_needs_a_capability_is_skipped_where_the_store_has_not_got_it(capability):
    sources = {name: inspect.getsource(getattr(StoreContract, f"test_{name}")) for name in CASES}
    users = {name for name, text in sources.items() if any(use in text for use in NEEDS[capability])}
    asking = {name for name, text in sources.items() if f'self.need(store, "{capability}")' in text}
    assert (users, bool(users)) == (asking, True)
