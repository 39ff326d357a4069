"""Reads from the code what pages can say: the title of each, with `...` for what is filled in.

A title is an argument of one of the functions below. What a name stands for is looked up: in the
function, then among the constants of all modules. A title that cannot be understood is an error.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

FILLED = "..."
"""Stands for what a page's title is filled with."""

Constants = Mapping[str, ast.expr]

TITLE_AT = {
    "page": 1,  # (ep, title, body)
    "page_about_rule": 2,  # (rule, key, title, body)
    "page_about_action": 3,  # (action, key, severity, title, body)
    "tell": 2,  # (key, severity, title, body)
    "page_when_long": 3,  # (draft, matter, after_seconds, title, body)
}
"""Where the title stands among the arguments of what raises a page."""

ANNOUNCED = "text.subject"
"""What people read and sent themselves: an announcement, which asks nothing of who gets it."""

_DRAFTS = {"draft", "scene.draft", "self"}


@dataclass(frozen=True)
class Title:
    """What a page can say, and where that stands."""

    text: str
    place: str


def titles(files: Mapping[str, str]) -> list[Title]:
    """Every title in some modules' texts, by their names; raises where one is not understood."""
    modules = {name: ast.parse(text) for name, text in files.items()}
    constants = {
        name: node.value
        for tree in modules.values()
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in _targets(node)
    }
    found = []
    for name, tree in modules.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in _raising(function):
                    title = call.args[TITLE_AT[_called(call)]]
                    if ast.unparse(title) == ANNOUNCED:
                        continue
                    found += [
                        Title(_shortened(text), f"{name}:{call.lineno}")
                        for text in _texts(title, function, constants)
                    ]
    return found


def _raising(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """Calls that raise a page, but for those by which one such function passes on to another."""
    if function.name in TITLE_AT:
        return
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or _called(node) not in TITLE_AT:
            continue
        of_a_draft = (
            isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in _DRAFTS
        )
        if of_a_draft or (isinstance(node.func, ast.Name) and node.func.id == "page_when_long"):
            yield node


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _texts(
    node: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef, constants: Constants
) -> list[str]:
    """What an expression can be, each way with `...` for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            ways = [_part(part, function) for part in parts]
            return ["".join(way) for way in product(*ways)]
        case ast.IfExp(body=body, orelse=orelse):
            return _texts(body, function, constants) + _texts(orelse, function, constants)
        case ast.Name(id=name):
            said = [
                text
                for one in ast.walk(function)
                if isinstance(one, ast.Assign) and name in _targets(one)
                for text in _texts(one.value, function, constants)
            ]
            if said:
                return said
            if name in constants:
                return _texts(constants[name], function, {})
    raise ValueError(f"line {node.lineno}: cannot tell what the title {ast.unparse(node)!r} says")


def _part(part: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """A piece of a title: as it stands, or what the function puts there, or `...`."""
    match part:
        case ast.FormattedValue(value=ast.Name() | ast.IfExp() as value):
            try:
                return _texts(value, function, {})
            except ValueError:
                return [FILLED]
        case ast.Constant(value=str(text)):
            return [text]
    return [FILLED]


def _targets(assigned: ast.Assign) -> set[str]:
    return {target.id for target in assigned.targets if isinstance(target, ast.Name)}


def _shortened(text: str) -> str:
    """Where one thing that is filled in follows another, one `...` stands for both."""
    return re.sub(r"\.\.\.(\s*\.\.\.)+", FILLED, text)


def in_tree(*folders: Path) -> dict[str, str]:
    """The texts of the modules below some folders."""
    return {
        str(path): path.read_text() for folder in folders for path in sorted(folder.rglob("*.py"))
    }
