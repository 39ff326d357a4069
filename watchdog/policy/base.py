"""What all models of the rule files share: strict types, no unknown keys, named absences."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A mapping in a rule file. Any key that it does not know refuses the load.

    `later` are words of the language that this version does not do yet: they are refused by
    name, never accepted and ignored. `absent` says what to do about a missing key.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        populate_by_name=False,
        arbitrary_types_allowed=True,
    )

    later: ClassVar[dict[str, str]] = {}
    absent: ClassVar[dict[str, str]] = {}
