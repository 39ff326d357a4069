"""Jinja2 for texts that operators write: what it may do, and that it ends.

Taken out is what could run for long or reach for anything: calls, macros, blocks, inclusion, what
multiplies a text, loops inside loops. What is left is fields, conditions, loops over one of the
fields that are lists, and filters whose result is no longer than what they are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

LARGEST_TEMPLATE = 20_000
_FILTERS = frozenset(
    {"upper", "lower", "title", "capitalize", "trim", "default", "d", "length", "count", "first",
     "last", "truncate"}
)  # fmt: skip
_NEVER = (
    nodes.Call,
    nodes.CallBlock,
    nodes.Macro,
    nodes.Block,
    nodes.Extends,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.FilterBlock,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.Mul,
    nodes.Pow,
    nodes.Mod,
    nodes.Getattr,
    nodes.Getitem,
)


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """`line` counts from 1."""

    line: int
    what: str
    remedy: str


def check(text: str, fields: Mapping[str, Any]) -> TemplateProblem | None:
    """What is wrong with a template, tried on these fields; None where it can be used."""
    if len(text) > LARGEST_TEMPLATE:
        return TemplateProblem(1, f"{len(text)} characters", f"Write {LARGEST_TEMPLATE} at most.")
    try:
        tree = _environment().parse(text)
    except TemplateError as error:
        what = f"it is no template: {str(error.message).rstrip('.')}"
        remedy = "A field is {{ NAME }}; a condition begins {% if NAME %} and ends {% endif %}."
        return TemplateProblem(_line(error), what, remedy)
    lists = frozenset(name for name, example in fields.items() if isinstance(example, list))
    return next(_forbidden(tree, lists), None) or _tried(text, fields)


def _tried(text: str, fields: Mapping[str, Any]) -> TemplateProblem | None:
    try:
        filled = made(text).render(fields)
    except TemplateError as error:
        known = ", ".join(sorted(fields))
        return TemplateProblem(_line(error), str(error.message), f"Known fields are: {known}.")
    except (TypeError, ValueError, ArithmeticError) as error:
        return TemplateProblem(1, f"it cannot be filled: {error}", "Correct it.")
    if not filled.startswith("Subject: "):
        return TemplateProblem(1, "it has no subject", "Begin it with `Subject: TEXT`.")
    return None


@lru_cache(maxsize=64)
def made(text: str) -> Template:
    """The template of a text that was checked."""
    return _environment().from_string(text)


def _line(error: TemplateError) -> int:
    return int(getattr(error, "lineno", None) or 1)


def _forbidden(tree: nodes.Template, lists: frozenset[str]) -> Iterator[TemplateProblem]:
    for node in tree.find_all(nodes.Node):
        if isinstance(node, _NEVER):
            word = type(node).__name__.lower()
            yield TemplateProblem(node.lineno, f"`{word}` is not for messages", "Use fields alone.")
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            known = ", ".join(sorted(_FILTERS))
            yield TemplateProblem(node.lineno, f"no filter {node.name}", f"There are: {known}.")
        elif isinstance(node, nodes.For):
            inner = next(iter(node.find_all(nodes.For)), None)
            over = node.iter.name if isinstance(node.iter, nodes.Name) else ""
            if inner is not None or over not in lists:
                what = "a loop inside a loop" if inner is not None else "a loop over no list"
                known = ", ".join(sorted(lists)) or "none"
                yield TemplateProblem(node.lineno, what, f"Fields that are lists: {known}.")


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # plain text: each channel escapes for its own kind
    )
    environment.globals.clear()
    return environment
