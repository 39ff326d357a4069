"""A drill's document: as plain data, and as a paper for people, with what the procedure asks of
its test results: document them, identify improvements, update procedures, train team members.
"""

from __future__ import annotations

import getpass
import socket
from importlib.metadata import version
from typing import Any

from watchdog.core.drills import DrillKind
from watchdog.core.words import Instant
from watchdog.drill.running import Result
from watchdog.lab.incident import document as incident_document
from watchdog.lab.papers import (
    Blank,
    Clock,
    Facts,
    Items,
    Output,
    Paper,
    Section,
    Table,
    Words,
    lasted,
    markdown,
    plain,
)

View = dict[str, Any]

FORM = "slo-watchdog-drill/1"


def papers(result: Result) -> tuple[View, str]:
    """Both forms of its document, by whoever runs it here."""
    told = (getpass.getuser(), socket.gethostname(), version("slo-watchdog"))
    return document(result, *told), markdown(drill_paper(result, *told, Clock()))


def document(result: Result, ran_by: str, host: str, ours: str) -> View:
    """What `drill record` reads again."""
    return {
        "form": FORM,
        "drill": result.what.value,
        "passed": result.passed,
        "reasons": list(result.reasons),
        "rule": result.rule,
        "action": result.action,
        "signal": result.signal,
        "began_at": round(result.began_at, 3),
        "ended_at": round(result.ended_at, 3),
        "began": plain(Instant(result.began_at, 0.0)),
        "seconds": round(result.seconds, 3),
        "ran_by": ran_by,
        "host": host,
        "version": ours,
        "stages": [
            {
                "stage": one.stage.value,
                "seconds": one.seconds,
                "within_seconds": one.within_seconds,
                "bound": one.bound,
                "met": one.is_met,
            }
            for one in result.stages
        ],
        "episode": incident_document(result.found) if result.found is not None else None,
    }


def stages_met(met: list[bool]) -> str:
    """The count that stands under its headline."""
    return f"{sum(met)} of {len(met)} stages within their bounds"


def drill_paper(result: Result, ran_by: str, host: str, ours: str, clock: Clock) -> Paper:
    began = Instant(result.began_at, 0.0)
    word = "passed" if result.passed else "FAILED"
    return Paper(
        f"Drill: {result.title}: {word}",
        (
            stages_met([one.is_met for one in result.stages]),
            f"{clock.both(began)}, took {lasted(result.seconds)}",
            f"run by {ran_by} on {host}",
        ),
        (
            _result(result, ours),
            _times(result),
            _timeline(result, clock),
            _printed(result),
            _lessons(result),
        ),
    )


def _result(result: Result, ours: str) -> Section:
    facts = Facts(
        (
            ("kind", result.what.value),
            ("result", "passed" if result.passed else "failed"),
            ("rule", result.rule),
            ("action", result.action),
            ("injected", result.signal),
            ("slo-watchdog", ours),
        )
    )
    if result.passed:
        said = Words(
            "Every stage was reached within its bound, and nothing else of the target was changed."
        )
        return Section("Result", (facts, said))
    return Section("Result", (facts, Words("It did not pass:"), Items(result.reasons)))


def _times(result: Result) -> Section:
    rows = tuple(
        (
            one.stage.value,
            "never reached" if one.seconds is None else f"{one.seconds:.2f} s",
            lasted(one.within_seconds),
            one.bound,
            "yes" if one.is_met else "NO",
        )
        for one in result.stages
    )
    head = ("Stage", "Took", "Within", "Bound", "Met")
    return Section("Times", (Table(head, rows, numbers=frozenset({1, 2})),))


def _timeline(result: Result, clock: Clock) -> Section:
    moments = result.found.moments if result.found is not None else []
    rows = tuple((clock.utc(one.at), one.what, one.text) for one in moments)
    return Section("Timeline", (Table(("At", "What", ""), rows, "There was no episode."),))


def _printed(result: Result) -> Section:
    changes = result.found.changes if result.found is not None else []
    outputs = tuple(
        Output(f"{change.entry.direction.value} {step.step}: {step.result}", step.output)
        for change in changes
        for _, step in change.steps
        if step.output
    )
    return Section("What programs printed", outputs or (Words("Nothing.", quiet=True),))


def _lessons(result: Result) -> Section:
    why = tuple(f"Why did this happen: {one}?" for one in result.reasons)
    return Section(
        "What to improve",
        (
            Blank("Improvements", "What was slow, unclear or missing? Who does what by when?", why),
            Blank("Procedures to update", "Which page or rule said something else than happened?"),
            Blank("Training", "Who took part, and who is to do the next one?"),
        ),
    )


def from_document(found: View, path: str, sha256: str) -> View:
    """The order that records it. Raises ValueError where it is no such document."""
    if found.get("form") != FORM:
        raise ValueError(f"it is no document of a drill ({FORM})")
    told = {
        "what": DrillKind(found["drill"]).value,
        "passed": bool(found["passed"]),
        "action": str(found["action"]),
        "ended_at": float(found["ended_at"]),
        "seconds": float(found["seconds"]),
        "stages": [
            {key: one[key] for key in ("stage", "seconds", "within_seconds", "bound")}
            for one in found["stages"]
        ],
        "reasons": [str(one)[:500] for one in found["reasons"]][:20],
        "document": path,
        "sha256": sha256,
    }
    return {"told": told}


__all__ = ["FORM", "from_document", "papers", "stages_met"]
