"""The shape of a source tree, read with ``ast``: lengths, nesting, types, docstrings, imports.

The length of a function leaves out decorators and docstring, and every ``def`` counts, nested ones
too. Nesting counts if, for, while, with, try and match; ``elif`` stays on its level. An import runs
at load time unless it stands in a function or under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
import io
import tokenize
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FunctionDef: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = FunctionDef | ast.ClassDef

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
BROAD = {"Exception", "BaseException", ""}


@attrs.frozen
class Import:
    """One module of the tree imports another."""

    importer: str
    imported: str
    deferred: bool = attrs.field(kw_only=True)
    type_checking: bool = attrs.field(kw_only=True)


@attrs.frozen(eq=False)
class SourceFile:
    """A parsed module, and where it stands."""

    module: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """The physical lines."""
        return len(self.text.splitlines())

    @property
    def code_lines(self) -> int:
        """The lines that hold code: no blank, no comment, no docstring."""
        held: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in LAYOUT:
                held.update(range(token.start[0], token.end[0] + 1))
        documented = (n for n in ast.walk(self.tree) if isinstance(n, Definition | ast.Module))
        return len(held) - sum(_span(n.body[0]) for n in documented if ast.get_docstring(n))

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]

    def functions(self) -> Iterator[FunctionDef]:
        """Give every function but overloads, in no order."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionDef) and "overload" not in map(last_name, node.decorator_list):
                yield node

    def public(self) -> Iterator[Definition]:
        """Give what a user may name: classes, functions, methods without underscore."""
        yield from _public(self.tree.body)

    def imports(self, modules: Iterable[str]) -> Iterator[Import]:
        """Give the imports of *modules* of the same tree."""
        known = frozenset(modules)
        for node, deferred, type_checking in _import_statements(self.tree):
            for name in self._targets(node, known):
                target = _closest(name, known)
                if target and target != self.module:
                    yield Import(self.module, target, deferred=deferred, type_checking=type_checking)

    def _targets(self, node: ast.Import | ast.ImportFrom, known: frozenset[str]) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            return
        base = node.module or ""
        if node.level:
            parents = self.package.split(".")
            base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            yield whole if whole in known else base


def read_tree(root: Path) -> list[SourceFile]:
    """Parse every module of the package in *root*, in the order of names."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root.parent).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        text = path.read_text("utf-8")
        found.append(SourceFile(".".join(parts), path, text, ast.parse(text, str(path))))
    return found


def length(function: FunctionDef) -> int:
    """Count the lines of a function without decorators and docstring."""
    return _span(function) - (_span(function.body[0]) if ast.get_docstring(function) else 0)


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Give the deepest block under *node*, not entering functions and classes inside."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        step = isinstance(child, BLOCKS) and not is_elif
        deepest = max(deepest, nesting(child, depth + step))
    return deepest


def parameters(function: FunctionDef) -> list[ast.arg]:
    """Give the parameters without ``self`` and ``cls``."""
    args = function.args
    named = [*args.posonlyargs, *args.args]
    if named and named[0].arg in {"self", "cls", "mcs"}:
        named.pop(0)
    return [*named, *args.kwonlyargs, *filter(None, [args.vararg, args.kwarg])]


def untyped(function: FunctionDef) -> list[str]:
    """Name the parameters without a type, and ``return`` where it has none."""
    missing = [arg.arg for arg in parameters(function) if arg.annotation is None]
    return missing if function.returns else [*missing, "return"]


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether the handler catches whatever comes."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in BROAD for kind in kinds)


def last_name(node: ast.AST | None) -> str:
    """Give the last name of a decorator, a base class or a caught class; empty where there is none."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def quantile(values: Iterable[int], share: float) -> int:
    """Give the nearest-rank quantile; 0 where there are no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def cycle(imports: Iterable[Import]) -> list[str]:
    """Give one cycle of *imports*, its first module again at its end; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for each in imports:
        graph.setdefault(each.importer, set()).add(each.imported)
    return _cycle(graph)


def package_cycle(imports: Iterable[Import]) -> list[str]:
    """Give one cycle between the packages one level under the root; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for each in imports:
        importer, imported = _first_level(each.importer), _first_level(each.imported)
        if importer and imported and importer != imported:
            graph.setdefault(importer, set()).add(imported)
    return _cycle(graph)


def _cycle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def _first_level(module: str) -> str:
    """Give the package under the root; empty for the root, which re-exports everything."""
    return ".".join(module.split(".")[:2]) if "." in module else ""


def _public(body: Iterable[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if "overload" in map(last_name, node.decorator_list):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body)


def _import_statements(
    node: ast.AST, *, deferred: bool = False, type_checking: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, deferred, type_checking
        return
    deferred = deferred or isinstance(node, FunctionDef)
    checked = node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else ()
    for child in ast.iter_child_nodes(node):
        yield from _import_statements(child, deferred=deferred, type_checking=type_checking or child in checked)


def _closest(name: str, known: frozenset[str]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
