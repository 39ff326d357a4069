"""Decides again what was decided, from what the journal kept of it.

Law 10: what a decision stored gives the same decision again. The verdict is judged anew from its
stored windows or elements, and the gates' inputs are put through the gates once more. Both come
from the journal as plain data (tuples as lists, enums as their values), and from memory as they
were.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from watchdog.core.basis import MOST_POINTS, SIGNALS
from watchdog.core.entries import Decided, Ruling
from watchdog.core.gates import GateInputs, Judgement, rule_on, rule_on_command
from watchdog.core.judge.finding import Finding
from watchdog.core.judge.stored import NotStored, judge_stored
from watchdog.core.samples import Labels, Point
from watchdog.core.standing import MANUAL

_POINTS = tuple[tuple[Labels, float], ...]


class StrangeInputs(ValueError):
    """Stored inputs that are not what the gates of this program look at; the text names it."""


def inputs_from(plain: Mapping[str, object]) -> GateInputs:
    """The gates' inputs from a decision's `inputs`. Raises StrangeInputs."""
    read: GateInputs = _read(dict(plain), GateInputs, "inputs")
    return read


def judged_again(decided: Decided) -> Judgement | None:
    """What the gates say today of a stored decision; None where none were asked."""
    if not decided.inputs:
        return None
    inputs = inputs_from(decided.inputs)
    return rule_on_command(inputs) if decided.rule == MANUAL else rule_on(inputs)


def replayed(decided: Decided) -> tuple[str, ...]:
    """How deciding again differs from what was recorded, in words; empty when it does not.

    Raises StrangeInputs where the stored inputs are of another program's gates.
    """
    return (*verdict_differs(decided), *_gates_differ(decided))


def verdict_kept(decided: Decided) -> str:
    """Why the verdict cannot be judged again; "" where it can."""
    if decided.verdict is None:
        return "a person's order rests on no verdict"
    if not decided.basis:
        return "what it rests on was not stored yet by the program that decided"
    if decided.basis.get("points", ()) is None:
        return f"it rests on more than {MOST_POINTS} series, which are not stored"
    return "" if decided.basis.get("is") in SIGNALS else "what it rests on is not stored"


def verdict_again(decided: Decided) -> Finding | None:
    """What its windows or elements say today; None where they are not kept.

    Raises StrangeInputs.
    """
    if decided.verdict is None or verdict_kept(decided):
        return None
    kept = decided.basis
    signal = _read(kept.get("signal"), SIGNALS[str(kept["is"])], "basis.signal")
    least = _read(kept.get("minimum_events"), float, "basis.minimum_events")
    pairs = _read(kept.get("points"), _POINTS, "basis.points")
    points = tuple(Point(labels, value) for labels, value in pairs)
    try:
        return judge_stored(signal, least, decided.verdict.evidence, points)
    except NotStored as missing:
        raise StrangeInputs(f"basis: {missing}") from None


def verdict_differs(decided: Decided) -> tuple[str, ...]:
    """How the verdict that its numbers give differs from the one that was recorded."""
    was, now = decided.verdict, verdict_again(decided)
    found = []
    if was is not None and now is not None:
        for name in ("status", "blind", "reason", "value", "bound", "clear", "evidence"):
            recorded, again = getattr(was, name), getattr(now, name)
            if repr(recorded) != repr(again):  # NaN is equal to itself here
                found.append(f"verdict, {name}: recorded {_shown(recorded)}, now {_shown(again)}")
    given = decided.inputs.get("status")
    if was is not None and given is not None and str(given) != was.status.value:
        found.append(f"the gates were given {given!s}, and the verdict was {was.status.value}")
    return tuple(found)


def _shown(value: object) -> str:
    return repr(value.value if isinstance(value, Enum) else value)


def _gates_differ(decided: Decided) -> tuple[str, ...]:
    again = judged_again(decided)
    if again is None:
        # A rule without a playbook asks no gate, and may only be refused.
        alone = decided.ruling is Ruling.REFUSED and not decided.gates and not decided.action
        return () if alone else (f"{decided.decision} has no inputs to decide from",)
    found = []
    for name in ("ruling", "reason"):
        was, now = getattr(decided, name), getattr(again, name)
        if was != now:
            found.append(f"{name}: recorded {str(was)!r}, now {str(now)!r}")
    if decided.gates != again.gates:
        was_said = {(a.gate, a.passed, a.reason) for a in decided.gates}
        now_said = {(a.gate, a.passed, a.reason) for a in again.gates}
        found += [f"gate recorded and not given now: {one}" for one in sorted(was_said - now_said)]
        found += [f"gate given now and not recorded: {one}" for one in sorted(now_said - was_said)]
        if was_said == now_said:
            found.append("the gates were asked in another order")
    return tuple(found)


def _read(value: Any, kind: Any, where: str) -> Any:
    """`value` as `kind`: dataclasses, tuples, enums and unions of plain types."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _one_of(value, arguments, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise StrangeInputs(f"{where}: {value!r} is no list")
        if arguments[-1] is Ellipsis:
            return tuple(_read(v, arguments[0], f"{where}[{i}]") for i, v in enumerate(value))
        if len(value) != len(arguments):
            raise StrangeInputs(f"{where}: {len(value)} parts instead of {len(arguments)}")
        parts = zip(value, arguments, strict=True)
        return tuple(_read(v, a, f"{where}[{i}]") for i, (v, a) in enumerate(parts))
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(value, kind, where)
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise StrangeInputs(f"{where}: {value!r} is no {kind.__name__}") from None
    return _scalar(value, kind, where)


def _one_of(value: Any, kinds: tuple[Any, ...], where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    some = [kind for kind in kinds if kind is not types.NoneType]
    if isinstance(value, Mapping):  # of several dataclasses the one that has these fields
        known = [k for k in some if is_dataclass(k) and {f.name for f in fields(k)} == set(value)]
        some = known or some
    return _read(value, some[0], where)


def _dataclass(value: Any, kind: type[Any], where: str) -> Any:
    if not isinstance(value, Mapping):
        raise StrangeInputs(f"{where}: {value!r} is no object")
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    # What an older program did not know of takes its default, as in every entry.
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if not needed <= set(value) <= known:
        odd = ", ".join(sorted((needed - set(value)) | (set(value) - known)))
        raise StrangeInputs(f"{where}: written by another program's gates: {odd}")
    return kind(**{name: _read(value[name], hints[name], f"{where}.{name}") for name in value})


def _scalar(value: Any, kind: type[Any], where: str) -> Any:
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise StrangeInputs(f"{where}: {value!r} is no {kind.__name__}")
    return kind(value)
