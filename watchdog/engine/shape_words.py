"""The words that the shapes of views are made of: times, and texts that are one of few."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from watchdog.core.drills import DrillKind, DrillStage
from watchdog.core.entries import Outcome, Ruling
from watchdog.core.hindsight import Task
from watchdog.core.measures import Ended
from watchdog.core.states import State
from watchdog.core.telling.status_pages import Condition
from watchdog.core.words import Blind, Direction, Mode, Severity, Status, Truth, World


@dataclass(frozen=True, slots=True)
class Form:
    """What a schema says of a text besides its type; pydantic asks for it by this method's name."""

    keyword: str
    value: str | tuple[str, ...]

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {**handler(core), self.keyword: value}


def _words(kind: type[StrEnum]) -> Form:
    return Form("enum", tuple(one.value for one in kind))


Utc = Annotated[str, Form("format", "date-time")]
ModeWord = Annotated[str, Form("enum", tuple(one.word for one in Mode))]
StatusWord = Annotated[str, _words(Status)]
BlindWord = Annotated[str, _words(Blind)]
StateWord = Annotated[str, _words(State)]
SeverityWord = Annotated[str, _words(Severity)]
WorldWord = Annotated[str, _words(World)]
TruthWord = Annotated[str, _words(Truth)]
RulingWord = Annotated[str, _words(Ruling)]
OutcomeWord = Annotated[str, _words(Outcome)]
EndedWord = Annotated[str, _words(Ended)]
TaskWord = Annotated[str, _words(Task)]
DrillWord = Annotated[str, _words(DrillKind)]
StageWord = Annotated[str, _words(DrillStage)]
DirectionWord = Annotated[str, _words(Direction)]
ConditionWord = Annotated[str, _words(Condition)]
