"""Reads a core module's text and tells what in it would do I/O or read a clock.

The core decides from what it is given: replaying the journal's inputs must give the same decisions.
"""

import ast
import sys
from collections.abc import Iterator

# What of the standard library computes, and nothing else.
PURE = frozenset(
    {
        *("__future__", "abc", "array", "ast", "base64", "binascii", "bisect", "collections"),
        *("contextlib", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum"),
        *("fractions", "functools", "hashlib", "heapq", "hmac", "itertools", "json", "math"),
        *("numbers", "operator", "re", "shlex", "statistics", "string", "struct", "textwrap"),
        *("types", "typing", "unicodedata", "weakref", "zlib", "zoneinfo"),
    }
)
_OF_SYS = frozenset({"byteorder", "float_info", "maxsize"})
_LIBRARIES = frozenset({"promql_parser", "watchdog"})
_CLOCK_METHODS = frozenset({"now", "utcnow", "today"})
_BUILTINS_WITH_EFFECTS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})


def impurities(text: str) -> Iterator[str]:
    """`line: what` for each import or call that does not belong into the core."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _foreign(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            yield from _foreign(node.module or "", node.lineno)
            if node.module == "sys":
                yield f"{node.lineno}: hides where a name of sys is used; import sys"
        elif isinstance(node, ast.Attribute):
            yield from _outside(node)
        elif isinstance(node, ast.Call):
            yield from _effect(node)


def _foreign(module: str, line: int) -> Iterator[str]:
    top = module.partition(".")[0]
    if top == "watchdog" and not f"{module}.".startswith("watchdog.core."):
        yield f"{line}: imports {module}"
    elif top not in PURE | _LIBRARIES | {"sys"}:
        kind = "impure " if top in sys.stdlib_module_names else ""
        yield f"{line}: imports {kind}{module}"


def _outside(node: ast.Attribute) -> Iterator[str]:
    """The interpreter's constants are the same for everybody; its arguments and streams are not."""
    match node:
        case ast.Attribute(attr=name, value=ast.Name(id="sys")) if name not in _OF_SYS:
            yield f"{node.lineno}: uses sys.{name}"
        case _:
            pass


def _effect(call: ast.Call) -> Iterator[str]:
    match call.func:
        case ast.Name(id=name) if name in _BUILTINS_WITH_EFFECTS:
            yield f"{call.lineno}: calls {name}()"
        case ast.Attribute(attr=name, value=ast.Name(id="datetime" | "date")) if (
            name in _CLOCK_METHODS
        ):
            yield f"{call.lineno}: reads the clock with {name}()"
        case _:
            pass
