"""What the documentation lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nubetis._builtin import BUILT_IN_PLUGINS
from nubetis.errors import MESSAGES
from nubetis.hookspecs import PROJECT
from nubetis.model.kinds import BUILT_IN

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def page(name):
    return (DOCS / name).read_text("utf-8")


def test_the_errors_page_lists_every_code_with_its_sentence():
    """In the order of ``MESSAGES``, so that the page reads as the table does."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", page("reference/errors.md"), re.MULTILINE)
    assert list(MESSAGES.items()) == [(code, text.replace(r"\|", "|")) for code, text in rows]


def test_the_hooks_page_says_which_hooks_nubetis_uses_itself():
    sections = re.findall(r"^## `(nubetis_\w+)`$(.*?)(?=^## )", page("reference/hooks.md"), re.MULTILINE | re.DOTALL)
    said = {name: "Built-in user: none." not in text and "Built-in user: " in text for name, text in sections}
    used = {
        name: any(hasattr(getattr(plugin, name, None), f"{PROJECT}_impl") for plugin in BUILT_IN_PLUGINS)
        for name, _ in sections
    }
    assert used == said


def test_the_guide_to_fields_names_every_built_in_type():
    text = page("guides/custom-fields.md")
    listed = text[text.index("the built-in types:") : text.index("A [plug-in]")]
    assert sorted(BUILT_IN) == sorted(re.findall(r"`(\w+)`", listed))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_page_stands_in_a_table_of_contents(path):
    if path.name == "index.md" and path.parent == DOCS:
        return
    trees = "\n".join(
        re.sub(r"^", f"{index.parent.relative_to(DOCS)}/", tree, flags=re.MULTILINE)
        for index in DOCS.rglob("index.md")
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", index.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
    name = str(path.relative_to(DOCS).with_suffix(""))
    assert name in {line.removeprefix("./") for line in trees.splitlines()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_leads_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).is_file()] == []


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_a_decision_is_short_numbered_and_says_what_it_costs(path):
    text = path.read_text("utf-8")
    assert re.match(rf"# {path.stem[:4]} · .+\n\nAccepted, \d{{4}}-\d\d\.\n\n", text)
    assert "**Decision.**" in text
    assert "**Consequences.**" in text or "**Given up.**" in text
    assert len(text.splitlines()) <= 40


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("0*.md"))]
    assert list(range(1, len(numbers) + 1)) == numbers


def test_every_example_runs_or_says_why_not():
    """A fence of Python that is not run is written as ``py``: a signature, or a test for pytest to collect."""
    skipped = [str(path) for path in PAGES if "<!-- skip" in path.read_text("utf-8")]
    assert skipped == []


SPANISH = sorted(path for path in (DOCS / "guides/es").glob("*.md") if path.name != "index.md")


def examples(path):
    """Give the Python examples of a page; of what is typed at a prompt only that, in no language."""
    found = re.findall(r"^```python\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    typed = ["\n".join(re.findall(r"^>>> .*", each, re.MULTILINE)) or each for each in found]
    return [each.replace('"--lang", "es"', '"--lang", "en"') for each in typed]


@pytest.mark.parametrize("path", SPANISH, ids=lambda path: path.stem)
def test_a_spanish_page_has_the_examples_of_the_english_one(path):
    """In their order; the English one may have more, until somebody has translated it."""
    (twin,) = [each for part in ("guides", "explanation") for each in (DOCS / part).glob(path.name)]
    english = examples(twin)
    places = [english.index(each) for each in examples(path) if each in english]

    assert [each for each in examples(path) if each not in english] == []
    assert len(examples(path)) > 1
    assert places == sorted(places)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_picture_is_there_and_says_what_it_shows(path):
    for said, name in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", path.read_text("utf-8")):
        picture = (path.parent / name).read_text("utf-8")
        told = [re.search(rf"<{part}[^>]*>([^<]+)</{part}>", picture) for part in ("title", "desc")]
        assert said
        assert None not in told


def test_the_glossary_has_the_word_for_each_kind_of_thing():
    words = re.findall(r"^\| ([A-Z][\w -]+?) \|", page("glossary.md"), re.MULTILINE)
    assert {"Change", "Decision", "Entry", "Field", "Filter", "Module", "Operation", "Plan", "Record"} <= set(words)
    assert sorted(words[1:], key=str.lower) == words[1:]
