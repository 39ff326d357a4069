"""Templates of labels and annotations in Prometheus's rule files: the part that most use.

`{{ $labels.x }}`, `{{ $value }}`, `{{ $externalLabels.x }}`, `{{ $externalURL }}`, alone or through
`printf` and the humanize functions. Conditions, loops, queries and all else are refused by name
when a file is read, so that no annotation is compared with half of itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

_ACTION = re.compile(r"""\{\{(?:-(?=\s))?((?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`}]|\}(?!\}))*)\}\}""")
_COMMENT = re.compile(r"\s*/\*.*\*/\s*\Z", re.DOTALL)
_WORD = re.compile(r"""\s*("(?:\\.|[^"\\])*"|`[^`]*`|\||[^\s|"`]+)""")
_FIELD = re.compile(
    r"(?:\$labels|\.Labels|\$externalLabels|\.ExternalLabels)\.[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII
)
_VERB = re.compile(r"%([-+ 0]?\d{0,3}(?:\.\d{1,3})?)([A-Za-z%])|%")
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}

Scalar = float | str


class BadTemplate(ValueError):
    """A template that is not read here; says what it holds and what to do."""

    def __init__(self, what: str, remedy: str = "Leave it out in a copy for the test.") -> None:
        super().__init__(f"{what}. {remedy}")
        self.what, self.remedy = what, remedy


@dataclass(frozen=True, slots=True)
class Given:
    """What a template may speak of."""

    labels: Mapping[str, str]
    value: float
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


Part = Callable[[Given], Scalar]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with its actions, ready to be filled."""

    parts: tuple[str | Part, ...]

    @classmethod
    def plain(cls, text: str) -> Template:
        return cls((text,))

    @classmethod
    def of(cls, text: str) -> Template:
        """Raises BadTemplate."""
        parts: list[str | Part] = []
        end = 0
        trim = False
        for match in _ACTION.finditer(text):
            before = text[end : match.start()]
            before = before.lstrip() if trim else before
            parts.append(before.rstrip() if match[0].startswith("{{- ") else before)
            inner = match[1]
            trim = bool(re.search(r"\s-\Z", inner))
            inner = inner[:-1] if trim else inner
            if not _COMMENT.match(inner):
                parts.append(_action(inner))
            end = match.end()
        rest = text[end:].lstrip() if trim else text[end:]
        if "{{" in rest or any("{{" in part for part in parts if isinstance(part, str)):
            raise BadTemplate("a template that does not end", "Close it with }}.")
        return cls((*parts, rest))

    def fill(self, given: Given) -> str:
        return "".join(
            part if isinstance(part, str) else go_text(part(given)) for part in self.parts
        )


def _action(inner: str) -> Part:
    """One pipeline: an operand, then functions that take what came before as their last."""
    words = [match[1] for match in _WORD.finditer(inner)]
    stages: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            stages.append([])
        else:
            stages[-1].append(word)
    if not all(stages):
        raise BadTemplate(f"an empty action, {{{{{inner}}}}}", "Write what it stands for.")
    run: Part | None = None
    is_text = False
    for stage in stages:
        run, is_text = _stage(stage, run, piped_text=is_text)
    if run is None:
        raise BadTemplate("an empty action")
    return run


def _stage(stage: list[str], piped: Part | None, *, piped_text: bool) -> tuple[Part, bool]:
    """The stage as a part, and whether it gives text."""
    head, *rest = stage
    arguments = [_operand(word) for word in rest] + ([(piped, piped_text)] if piped else [])
    if head == "printf":
        return _printf(arguments, rest)
    if head in _NUMBER_TO_TEXT:
        if len(arguments) != 1 or arguments[0][1]:
            raise BadTemplate(f"{head} of something else than a number")
        of, number = _NUMBER_TO_TEXT[head], arguments[0][0]
        return lambda given: of(float(number(given))), True
    if head in _TEXT_TO_TEXT:
        if len(arguments) != 1 or not arguments[0][1]:
            raise BadTemplate(f"{head} of something else than a text")
        change, text = _TEXT_TO_TEXT[head], arguments[0][0]
        return lambda given: change(str(text(given))), True
    if arguments:
        raise BadTemplate(f"`{head}` in a template is not supported by this version")
    return _operand(head)


def _operand(word: str) -> tuple[Part, bool]:
    """What a word stands for, and whether that is text."""
    if word[0] in '"`':
        text = word[1:-1]
        if word[0] == '"':
            text = re.sub(r"\\.", lambda m: _ESCAPES.get(m[0], m[0]), text)
        return (lambda _given: text), True
    if word in {"$value", ".Value"}:
        return (lambda given: given.value), False
    if word in {"$externalURL", ".ExternalURL"}:
        return (lambda given: given.external_url), True
    if _FIELD.match(word):
        path, name = word.rsplit(".", 1)
        if "xternal" in path:
            return (lambda given: given.external_labels.get(name, "")), True
        return (lambda given: given.labels.get(name, "")), True
    raise BadTemplate(f"`{word}` in a template is not supported by this version")


def _printf(arguments: list[tuple[Part, bool]], words: list[str]) -> tuple[Part, bool]:
    if not words or words[0][0] not in '"`':
        raise BadTemplate("printf without a format in quotes")
    form = str(arguments[0][0](Given({}, 0.0)))
    given_to = arguments[1:]
    verbs = [match for match in _VERB.finditer(form) if match[0] != "%%"]
    if len(verbs) != len(given_to):
        raise BadTemplate(
            f"printf {words[0]} with {len(given_to)} values", "Give as many as verbs."
        )
    for verb, (_, is_text) in zip(verbs, given_to, strict=True):
        if verb[2] not in ("s", "v") if is_text else verb[2] not in tuple("feEgGv"):
            raise BadTemplate(f"printf's {verb[0]} of a {'text' if is_text else 'number'}")
        if verb[1] and verb[2] == "v":
            raise BadTemplate(f"printf's {verb[0]}")

    def run(given: Given) -> str:
        values = iter([part(given) for part, _ in given_to])
        return _VERB.sub(lambda m: "%" if m[0] == "%%" else _verb(m[1], m[2], next(values)), form)

    return run, True


def _verb(flags: str, verb: str, value: Scalar) -> str:
    odd = isinstance(value, float) and not math.isfinite(value)
    if odd or verb == "v" or (verb == "g" and "." not in flags):
        text = go_text(value)
        width = int(re.sub(r"\D", "", flags.partition(".")[0]) or 0)
        return text.ljust(width) if "-" in flags else text.rjust(width)
    return f"%{flags}{verb}" % value


def go_text(value: Scalar) -> str:
    """A value as Go prints it: the shortest digits, with an exponent from 1e+06 and below 1e-04."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if value == 0:
        return "-0" if sign else "0"
    power = len(digits) + int(exponent) - 1
    if -4 <= power < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    rest = "".join(map(str, digits[1:]))
    return f"{'-' * sign}{digits[0]}{'.' + rest if rest else ''}e{power:+03d}"


def _four(value: float) -> str:
    return go_text(value) if not math.isfinite(value) else f"{value:.4g}"


def _scaled(value: float, up: str, down: str, base: float, suffix: str = "") -> str:
    prefix = ""
    if abs(value) >= 1:
        for one in up.split():
            if abs(value) < base:
                break
            prefix, value = one, value / base
    else:
        for one in down.split():
            if abs(value) >= 1:
                break
            prefix, value = one, value * base
    return f"{value:.4g}{prefix}{suffix}"


_DOWN = "m u n p f a z y"


def _humanize(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, "k M G T P E Z Y", _DOWN, 1000.0)


def _humanize_1024(value: float) -> str:
    if abs(value) <= 1 or not math.isfinite(value):
        return _four(value)
    return _scaled(value, "ki Mi Gi Ti Pi Ei Zi Yi", "", 1024.0)


def _humanize_duration(value: float) -> str:
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return _scaled(value, "", _DOWN, 1000.0, "s")
    sign, value = ("-" if value < 0 else ""), abs(value)
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{value:.4g}s"


def _humanize_percentage(value: float) -> str:
    return f"{_four(value * 100)}%"


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])\w", lambda found: found[0].upper(), text)


_NUMBER_TO_TEXT: Mapping[str, Callable[[float], str]] = {
    "humanize": _humanize,
    "humanize1024": _humanize_1024,
    "humanizeDuration": _humanize_duration,
    "humanizePercentage": _humanize_percentage,
}
_TEXT_TO_TEXT: Mapping[str, Callable[[str], str]] = {
    "title": _title,
    "toUpper": str.upper,
    "toLower": str.lower,
}
