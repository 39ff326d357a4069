"""A text tree against a model: the model, or every fault of form with its own place.

Pydantic knows what is wrong, the tree knows where it stands; here both become an operator's
sentence. A word that this version does not do yet is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from watchdog.policy.base import Shape
from watchdog.policy.meant import as_meant, nearest
from watchdog.policy.nodes import Node
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.scalars import OURS, shown

S = TypeVar("S", bound=Shape)

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_REMEDY = {
    "text": "Put the text in quotes.",
    "a list": "Write it as [first, second].",
    "a mapping": "Write it as {key: value}.",
}


def closest(word: str, known: Iterable[str]) -> str:
    """`Did you mean ...?`, or what there is to choose from."""
    names = sorted(known)
    found = nearest(word, names)
    if found is not None:
        return f"Did you mean {found}?"
    return f"Known are: {', '.join(names[:20])}." if names else "There are none."


def shape_of(model: type[S], entry: Entry, findings: Findings) -> S | None:
    """The entry as `model`, or None with every fault of its form in `findings`."""
    found, faults = _validated(model, entry.node)
    if found is not None:
        return found
    meant = replace(entry, node=as_meant(model, entry.node, findings))
    if meant.node is not entry.node:
        faults = _validated(model, meant.node)[1]
    missing_later = _report_later(model, meant, faults, findings)
    for fault in faults:
        if findings.full:
            break
        if not any(_under(fault["loc"], path) for path in missing_later):
            _report(model, meant, fault, findings)
    return None


def _validated(model: type[S], node: Node) -> tuple[S | None, list[ErrorDetails]]:
    try:
        return model.model_validate(node.plain()), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _under(loc: Path, path: Path) -> bool:
    return loc[: len(path)] == path


def _report_later(
    model: type[Shape], entry: Entry, details: list[ErrorDetails], findings: Findings
) -> list[Path]:
    """Report words of later versions; the faults beside them only follow from them."""
    found: list[Path] = []
    for detail in details:
        loc: Path = detail["loc"]
        if detail["type"] != "extra_forbidden" or findings.full:
            continue
        key = str(loc[-1])
        later = _shape_at(model, loc[:-1]).later
        if key in later:
            findings.refuse(
                entry.key_at(*loc),
                f"`{key}`: {later[key]} is not supported by this version",
                "Remove it; it is refused so that nobody relies on it.",
            )
            found.append(loc[:-1])
    return found


def _shape_at(model: type[Shape], loc: Path) -> type[Shape]:
    """The model that `loc` leads to; steps that are no fields (an index) lead nowhere else."""
    here = model
    for step in loc:
        for name, info in here.model_fields.items():
            if step == (info.alias or name):
                here = _shape_in(info.annotation) or here
    return here


def _shape_in(annotation: Any) -> type[Shape] | None:
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    return next((found for a in get_args(annotation) if (found := _shape_in(a))), None)


def _report(model: type[Shape], entry: Entry, detail: ErrorDetails, findings: Findings) -> None:
    loc: Path = detail["loc"]
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "literal_error" and isinstance(value, dict):
        return  # the other branch of the union says what is wrong inside it
    if kind == "model_type" and any(str(s).endswith("Shape") for s in loc):
        return  # not a mapping: the literal branch says what is wanted
    if loc and loc[-1] == "[key]":
        place = entry.key_at(*loc[:-1])
    elif kind == "extra_forbidden":
        place = entry.key_at(*loc)
    else:
        place = entry.at(*loc)
    if kind == OURS:
        findings.refuse(place, _named(loc, str(context["what"])), str(context["remedy"]))
    elif kind == "missing":
        shape = _shape_at(model, loc[:-1])
        findings.refuse(
            entry.key_at(*loc[:-1]) if len(loc) > 1 else entry.key,
            f"{_subject(entry, loc[:-1])} has no `{loc[-1]}`",
            shape.absent.get(str(loc[-1]), "Add it."),
        )
    elif kind == "extra_forbidden":
        shape = _shape_at(model, loc[:-1])
        known = [info.alias or name for name, info in shape.model_fields.items()]
        findings.refuse(place, f"unknown key `{shown(str(loc[-1]))}`", closest(str(loc[-1]), known))
    else:
        what, remedy = _other(kind, value, context)
        findings.refuse(place, _named(loc, what), remedy)


def _named(loc: Path, what: str) -> str:
    names = [str(step) for step in loc if isinstance(step, str) and _is_word(step)]
    return f"{'.'.join(names[-2:])}: {what}" if names else what


def _is_word(step: str) -> bool:
    return step != "[key]" and not step.endswith("Shape") and "[" not in step


def _subject(entry: Entry, loc: Path) -> str:
    return f"{entry.name}.{'.'.join(map(str, loc))}" if loc else entry.name


def _other(kind: str, value: Any, context: dict[str, Any]) -> tuple[str, str]:
    """Pydantic's own faults in the language's words."""
    if kind in _WANTED:
        wanted = _WANTED[kind]
        seen = "nothing" if value is None else shown(value)
        return f"{wanted} is wanted, not {seen}", _REMEDY.get(wanted, f"Write {wanted}.")
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "")
        return f"{shown(value)} is not known", f"Write {expected}."
    if kind in {"too_short", "too_long"}:
        return f"a list of {context['actual_length']}", (
            f"Write {'at least' if kind == 'too_short' else 'at most'} "
            f"{context.get('min_length', context.get('max_length'))}."
        )
    if kind in {"greater_than_equal", "less_than_equal"}:
        limit = context.get("ge", context.get("le"))
        word = "least" if kind == "greater_than_equal" else "most"
        return f"{shown(value)} is out of range", f"Write at {word} {limit}."
    return f"{shown(value)} is not accepted", f"Correct it ({kind})."
