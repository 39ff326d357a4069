"""A Prometheus that answers from a test's series, by the evaluator here, as the real one is asked.

`sources/prometheus.py` asks for an expression's value and, by `timestamp(selector)`, for how fresh
each of its selectors is; a plain selector's values come with their times. The same is asked here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from watchdog.core.judge.silence import silence_of
from watchdog.core.promql import Expression, Refused, check
from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.samples import Answer, Failure, Fault, Point
from watchdog.core.words import Blind
from watchdog.lab.rule_tests.loaded import LoadedStore, vector_at
from watchdog.sources.selectors import Selector, parsed


class Question:
    """One expression of our rules. Raises Refused where it cannot be answered here."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._expression = check(text)
        form = parsed(text)
        self._plain = form.plain
        self._selectors: list[tuple[Selector, Expression]] = [
            (selector, check(f"timestamp({selector.text})")) for selector in form.selectors
        ]

    def answer(self, store: LoadedStore, at: float) -> Answer:
        try:
            found = vector_at(self._expression, store, at)
            newest, missing = [], []
            for selector, times in self._selectors:
                looks_at = selector.looks_at(at)
                seen = [one.value for one in vector_at(times, store, looks_at)]
                seen = [time + at - looks_at for time in seen if math.isfinite(time)]
                if seen:
                    newest.append(max(seen))
                else:
                    missing.append(selector.shown)
        except EvaluationFault as fault:
            return Answer(failure=Failure(Fault.PROVIDER, Blind.QUERY_ERROR, str(fault)))
        points = tuple(Point(e.labels, e.value, e.at if self._plain else None) for e in found)
        silence = silence_of(self._text, missing)
        if silence.counts:
            newest.append(at)
        missed = tuple(one for one in missing if one not in silence.replaced)
        return Answer(points, min(newest, default=None), missed)


def questions(texts: Iterable[str]) -> tuple[dict[str, Question], dict[str, Answer]]:
    """What can be asked, and the failures that stand for what cannot."""
    asked: dict[str, Question] = {}
    failed: dict[str, Answer] = {}
    for text in texts:
        try:
            asked[text] = Question(text)
        except Refused as error:
            failed[text] = Answer(failure=Failure(Fault.OURS, Blind.OURS, str(error)))
    return asked, failed
