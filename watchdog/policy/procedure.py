"""The platform's `procedure:` section as a core value: for people, and judging nothing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from watchdog.core.hindsight import day_of
from watchdog.core.procedure import Procedure
from watchdog.policy.base import Shape
from watchdog.policy.document import Document
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import Duration, Words, refused, shown
from watchdog.policy.shape import shape_of

KEY = "procedure"


def _day(value: Any) -> Any:
    if day_of(value) is None:
        raise refused(f"{shown(value)} is no day", "Write it like 2026-11-01.")
    return value


class ProcedureShape(Shape):
    """The rollback procedure that people follow: an overdue review of it is a metric."""

    absent: ClassVar[dict[str, str]] = {
        "document": "Say where it stands: an address, or a path.",
        "reviewed": "Say when people last went through it, like `reviewed: 2026-11-01`.",
    }

    document: Words = Field(description="where the procedure stands: an address or a path")
    reviewed: Annotated[str, AfterValidator(_day)] = Field(
        description="the day on which people last went through it; change it after each review"
    )
    review_every: Duration = Field(
        90 * 86_400.0, description="how often they must: overdue so long after that day (90d)"
    )


def procedure_of(document: Document, findings: Findings) -> Procedure | None:
    """None where the file has no such section, or with what is wrong in `findings`."""
    node = document.value(KEY)
    if node is None:
        return None
    shape = shape_of(ProcedureShape, Entry(KEY, document.key(KEY), node), findings)
    if shape is None:
        return None
    return Procedure(shape.document, shape.reviewed, shape.review_every)
