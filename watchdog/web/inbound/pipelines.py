"""What a pipeline's body says of a deploy, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watchdog.core.changes import Deploy
from watchdog.core.channels import Channel
from watchdog.core.deploys import DEPLOY_ID, MOST_FOR_SECONDS, DeployOutcome
from watchdog.core.text import seconds_of
from watchdog.engine import DeployDesk, DeployRefused, DeployTold, Wish
from watchdog.web.inbound.bodies import Wrong, body_as, plain

_MOST_TARGET = 600
_MOST_CHANGE = 500
_MOST_REASON = 500


def _seconds(value: Any) -> float:
    found = seconds_of(value) if isinstance(value, str) else None
    if not found or found > MOST_FOR_SECONDS:
        raise ValueError("write a duration of a day at most, like 20m")
    return found


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters only")
    return text


_Seconds = Annotated[float | None, BeforeValidator(_seconds, json_schema_input_type=str | None)]


class PipelineWord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    id: Annotated[str, Field(pattern=rf"^{DEPLOY_ID}$")]
    do: Literal["begin", "end"]
    target: Annotated[
        str, Field(min_length=1, max_length=_MOST_TARGET), AfterValidator(_printable)
    ] = ""
    for_: Annotated[float | None, BeforeValidator(_seconds, json_schema_input_type=str)] = Field(
        None, alias="for"
    )
    change: Annotated[str, Field(max_length=_MOST_CHANGE), AfterValidator(plain)] = ""
    reason: Annotated[str, Field(max_length=_MOST_REASON), AfterValidator(plain)] = ""
    outcome: Literal["ok", "failed"] | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One that has proven who it is."""

    channel: str
    how: Channel

    @property
    def actor(self) -> str:
        return f"pipeline {self.channel}"


def tell(pipeline: Pipeline, body: bytes, desk: DeployDesk) -> DeployTold:
    """Do what it says. Raises Wrong, DeployRefused, NotRecorded, and JournalError."""
    said = body_as(PipelineWord, body)
    if said.do == "end":
        strange = [name for name in ("target", "for", "change") if _given(said, name)]
        if strange:
            raise Wrong(f"{strange[0]}: is said when a deploy begins")
        outcome = DeployOutcome(said.outcome or "ok")
        return desk.end_own(pipeline.actor, said.id, outcome, said.reason)
    if not said.target or said.for_ is None:
        raise Wrong(f"{'for' if said.target else 'target'}: is needed to begin")
    if said.outcome is not None:
        raise Wrong("outcome: is said when a deploy ends")
    allowed = pipeline.how.targets
    if allowed and said.target not in allowed:
        raise DeployRefused(f"{pipeline.channel} may deploy {', '.join(allowed)} alone")
    wish = Wish(said.target, pipeline.actor, said.for_, said.change, said.reason, said.id)
    return desk.begin(wish)


def _given(said: PipelineWord, name: str) -> bool:
    return bool({"target": said.target, "for": said.for_, "change": said.change}[name])


def answer(told: DeployTold) -> dict[str, Any]:
    one: Deploy = told.deploy
    return {
        "deploy": one.name,
        "id": one.id,
        "target": one.target,
        "until": one.expires.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": one.outcome or None,
        "known": told.known,
    }
