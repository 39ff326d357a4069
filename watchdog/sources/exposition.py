"""Reading exposition pages: text format 0.0.4 and OpenMetrics 1.0.

Pages are large and few of their lines are wanted, so one compiled expression picks the wanted
lines. Of those, prometheus_client's parser reads names and labels, once per series, since they
return the same at every poll; value and time are read here. Whole families are not handed to it:
its checks need lines that were left out, and it renames old counters.

A page that may have been cut is refused: OpenMetrics must end with `# EOF`, text with a line
break. A cut number would otherwise be a smaller number.
"""

from __future__ import annotations

import asyncio
import re
from email.message import Message
from enum import StrEnum
from functools import lru_cache

from prometheus_client.parser import text_string_to_metric_families

from watchdog.core.samples import Labels, Sample, labels_of

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
PROCESS_START = "process_start_time_seconds"

_LINES_AT_A_TIME = 1000  # then the loop gets its turn
_SAMPLE = re.compile(
    r"""[ \t]*
    (?P<series>[^\s{}"\#]* [ \t]* (?:\{ (?:[^"}\n] | "(?:[^"\\\n]|\\.)*")* \})?)
    (?:(?<=\})[ \t]* | (?<=[ \t]))
    (?P<value>[^\s\#]+)
    (?:[ \t]+(?P<at>[^\s\#]+))?
    [ \t]*(?P<exemplar>\#[ ]\{.*)?""",
    re.VERBOSE,
)


class Form(StrEnum):
    TEXT = "text/plain"
    OPENMETRICS = "application/openmetrics-text"


class UnreadableError(Exception):
    """The page is not what its content type says; the message names the line."""


class TooManySeriesError(Exception):
    """More wanted series than the cap: `series` at the least, a line each."""

    def __init__(self, series: int) -> None:
        super().__init__(f"{series} series")
        self.series = series


def form_of(content_type: str) -> Form:
    """Raises UnreadableError for anything but the two formats in the versions that we read."""
    message = Message()
    message["content-type"] = content_type
    kind, version = message.get_content_type(), message.get_param("version")
    charset = str(message.get_param("charset", "utf-8")).lower()
    if not content_type:
        raise UnreadableError("no content type instead of metrics")
    if charset == "utf-8":
        if kind == Form.TEXT and version in {None, "0.0.4"}:
            return Form.TEXT
        if kind == Form.OPENMETRICS and version in {None, "0.0.1", "1.0.0"}:
            return Form.OPENMETRICS
    raise UnreadableError(f"{content_type[:80]} instead of metrics")


class Exposition:
    """Reads one target's pages, and remembers the series of the page before."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Labels]] = {}

    async def read(
        self, body: bytes, form: Form, wanted: frozenset[str] | None, at: float, max_series: int
    ) -> tuple[Sample, ...]:
        """The samples of the `wanted` names (None: all), at `at` where the page names no time.

        Raises UnreadableError, TooManySeriesError.
        """
        page = _whole(body, form)
        samples: dict[tuple[str, Labels], tuple[Sample, bool]] = {}
        known: dict[str, tuple[str, Labels]] = {}
        for number, line in enumerate(_wanted_lines(wanted).finditer(page)):
            if number % _LINES_AT_A_TIME == 0:
                await asyncio.sleep(0)
            try:
                sample, timed = self._sample(line.group(), form, at, known)
                key = sample.name, sample.labels
                if key in samples:
                    sample, timed = _newer(samples[key], (sample, timed))
            except ValueError as error:
                where = page.count("\n", 0, line.start()) + 1
                raise UnreadableError(
                    f"line {where}: {error}: {line.group().strip()[:80]!r}"
                ) from None
            samples[key] = sample, timed
            if len(samples) > max_series:
                wanted_lines = sum(1 for _ in _wanted_lines(wanted).finditer(page))
                raise TooManySeriesError(wanted_lines)
        self._known = known
        return tuple(sample for sample, _ in samples.values())

    def _sample(
        self, line: str, form: Form, at: float, known: dict[str, tuple[str, Labels]]
    ) -> tuple[Sample, bool]:
        """The sample, and whether the page named its time. Raises ValueError."""
        match = _SAMPLE.fullmatch(line)
        if match is None:
            raise ValueError("not a sample")
        if match["exemplar"] and form is Form.TEXT:
            raise ValueError("exemplars are not of this format")
        series = match["series"].strip()
        name_and_labels = self._known.get(series) or _series(series)
        known[series] = name_and_labels
        value = _number(match["value"])
        if match["at"] is None:
            return Sample(*name_and_labels, value, at), False
        if form is Form.TEXT:
            return Sample(*name_and_labels, value, int(match["at"]) / 1000), True
        own_at = _number(match["at"])
        if not abs(own_at) < float("inf"):
            raise ValueError("not a time")
        return Sample(*name_and_labels, value, own_at), True


def _whole(body: bytes, form: Form) -> str:
    try:
        page = body.decode()
    except UnicodeDecodeError as error:
        where = body.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"line {where}: not UTF-8") from None
    first = page.lstrip().partition("\n")[0]
    if first and not first.startswith("#") and _SAMPLE.fullmatch(first.rstrip()) is None:
        raise UnreadableError(f"line 1: not a sample: {first[:80]!r}")
    if form is Form.OPENMETRICS and not page.endswith(("\n# EOF", "\n# EOF\n")):
        if page.strip() != "# EOF":
            raise UnreadableError("the last line is not '# EOF': the page may have been cut")
    elif page and not page.endswith("\n") and form is Form.TEXT:
        raise UnreadableError("the last line does not end: the page may have been cut")
    return page


@lru_cache(maxsize=64)
def _wanted_lines(wanted: frozenset[str] | None) -> re.Pattern[str]:
    if wanted is None:
        return re.compile(r"^[ \t]*[^#\s].*$", re.MULTILINE)
    names = "|".join(re.escape(name) for name in sorted(wanted))
    return re.compile(rf"^[ \t]*(?:{names})(?=[ \t{{]).*$", re.MULTILINE)


def _series(text: str) -> tuple[str, Labels]:
    try:
        (family,) = text_string_to_metric_families(f"{text} 0\n")
        (sample,) = family.samples
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(str(error)[:80] or "name and labels cannot be read") from None
    return sample.name, labels_of(sample.labels)


def _number(text: str) -> float:
    # Python reads more than the formats allow: 1_000 and digits of other scripts.
    if "_" in text or not text.isascii():
        raise ValueError("not a number")
    return float(text)


def _newer(one: tuple[Sample, bool], other: tuple[Sample, bool]) -> tuple[Sample, bool]:
    """OpenMetrics may give several points of a series; twice without a time is a contradiction."""
    if one[1] and other[1] and one[0].at != other[0].at:
        return max(one, other, key=lambda each: each[0].at)
    raise ValueError("this series is given twice")
