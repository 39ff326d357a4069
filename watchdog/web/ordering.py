"""The orders of the control socket: what each must say, and what carries it out.

Each answers `{"effect": ..., "target": ..., "data": ...}`, or `{"refused": reason}` with status
409, or `{"wrong": what}` with 422 for a request that is not one. With `"dry": true` it says what it
would do, in the same words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from watchdog.core.deploys import MOST_FOR_SECONDS, DeployOutcome
from watchdog.core.drills import DrillTold
from watchdog.core.hindsight import LEAST_CONTENT, MOST_CONTENT, ImpactTold, Task
from watchdog.core.promotions import RuleTested
from watchdog.core.spec import Scope
from watchdog.engine import Done, OrderRefused, Orders, Person, Views, Wanted
from watchdog.messages import LONGEST_BODY, LONGEST_SUBJECT, Message

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
ActionName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}(\{[^{}\n]{1,800}\})?$")
]
"""An action's name, perhaps with the values that it is for."""
Text = Annotated[str, Field(max_length=2000)]
Target = Annotated[str, Field(min_length=1, max_length=600)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rules lie and what is put into them, for whoever runs their tests."""

    rules_dir: str
    environment: str
    variables: Mapping[str, str]


HandOn = Callable[[str, bytes, Person], Awaitable[tuple[int, dict[str, Any]] | None]]
"""(path, body, who) -> the answer of the daemon that leads; None where that is this one."""


@dataclass(frozen=True, slots=True)
class Control:
    """What the socket reaches. `apply` loads the rules folder; it belongs to the daemon."""

    orders: Orders
    views: Views
    apply: Callable[[Person, bool], Awaitable[Done]]
    root_is_person: bool
    place: Place | None = None
    hand_on: HandOn | None = None


class Order(BaseModel):
    """One request to change something. `dry` only says what it would do."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dry: bool = False
    reason: Text = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        raise NotImplementedError


class HoldOrder(Order):
    scope: Literal["all", "owner", "rule", "target"] = "all"
    name: Annotated[str, Field(max_length=2000)] = ""
    for_seconds: Annotated[float, Field(gt=0, le=366 * 86400)] | None = None
    silence: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        scope = Scope(self.scope, self.name)
        return control.orders.stops.hold(
            by, scope, self.reason, for_seconds=self.for_seconds, silence=self.silence, dry=self.dry
        )


class ReleaseOrder(Order):
    hold: Name

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.stops.release(by, self.hold, self.reason, dry=self.dry)


class DeployBeginOrder(Order):
    target: Target
    for_seconds: Annotated[float, Field(gt=0, le=MOST_FOR_SECONDS)]
    change: Annotated[str, Field(max_length=500)] = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.begin(
            by, self.target, self.for_seconds, self.change, self.reason, dry=self.dry
        )


class DeployEndOrder(Order):
    target: Target
    outcome: Literal["ok", "failed"] = "ok"

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.end(
            by, self.target, DeployOutcome(self.outcome), self.reason, dry=self.dry
        )


class UnfreezeOrder(Order):
    target: Target

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.unfreeze(by, self.target, self.reason, dry=self.dry)


class EpisodeOrder(Order):
    episode: Name

    def refuse_what_is_over(self, control: Control) -> None:
        """Its state's name, ok, would tell nobody that there is nothing left to do."""
        for ep in control.views.episodes():
            if ep["id"] == self.episode and ep["state"] == "ok":
                raise OrderRefused(f"{self.episode} has ended already, at {ep['since']}")


class AckOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.episodes.ack(by, self.episode, self.reason, dry=self.dry)


class CloseOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.episodes.close(by, self.episode, self.reason, dry=self.dry)


class MarkOrder(EpisodeOrder):
    mark: Literal["true", "false", "explained", "drill"]

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.episodes.mark(by, self.episode, self.mark, self.reason, dry=self.dry)


class ImpactOrder(EpisodeOrder):
    """What somebody found out of what it cost; `reason` is of no meaning here."""

    tickets: Annotated[int, Field(ge=0, le=10**9)] | None = None
    affected: Annotated[float, Field(ge=0, le=1e12)] | None = None
    of: Annotated[str, Field(max_length=60)] = ""
    satisfaction: Annotated[float, Field(ge=LEAST_CONTENT, le=MOST_CONTENT)] | None = None
    feedback: Text = ""
    community: Text = ""
    metrics: Text = ""
    data_loss: Text = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        said = self.model_dump(exclude={"dry", "reason"})
        return control.orders.hindsight.impact(by, ImpactTold(actor=by.name, **said), dry=self.dry)


class FollowUpAddOrder(EpisodeOrder):
    task: Literal["fix", "test", "procedure", "training"]
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    due: Annotated[str, Field(max_length=40)]
    text: Annotated[str, Field(min_length=1, max_length=500)]

    async def carry_out(self, by: Person, control: Control) -> Done:
        wanted = Wanted(self.episode, Task(self.task), self.owner, self.due, self.text)
        return control.orders.hindsight.add(by, wanted, dry=self.dry)


class FollowUpCloseOrder(Order):
    follow_up: Name

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.hindsight.close(by, self.follow_up, self.reason, dry=self.dry)


class DrillRecordOrder(Order):
    told: DrillTold

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.drills.record(by, self.told, dry=self.dry)


class NotifyTestOrder(Order):
    name: Name
    outside: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        test = control.orders.telling.test
        return await test(by, self.name, dry=self.dry, outside=self.outside)


class AnnounceOrder(EpisodeOrder):
    audiences: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    which: Literal["", "announced", "update", "complete"] = ""
    said: Text = ""
    subject: Annotated[str, Field(max_length=LONGEST_SUBJECT)] = ""
    body: Annotated[str, Field(max_length=LONGEST_BODY)] = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        seen = Message(self.subject, self.body) if self.subject and self.body else None
        return control.orders.telling.announce(
            by,
            self.episode,
            self.audiences,
            which=self.which,
            said=self.said,
            seen=seen,
            dry=self.dry,
        )


class ActOrder(EpisodeOrder):
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.episodes.act(
            by, self.episode, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class ApproveOrder(EpisodeOrder):
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.approvals.approve(
            by, self.episode, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class DenyOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.approvals.deny(by, self.episode, self.reason, dry=self.dry)


class RollbackOrder(Order):
    action: ActionName
    kind: Literal["executive", "community", "regulatory", "technical"]
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.orders.rollbacks.rollback(
            by, self.action, self.kind, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class UndoOrder(Order):
    what: ActionName
    force: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.orders.rollbacks.undo(
            by, self.what, self.reason, force=self.force, dry=self.dry
        )


class VerifyOrder(Order):
    what: ActionName
    checks: Annotated[tuple[Name, ...], Field(max_length=20)] = ()

    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.orders.verifying.verify(by, self.what, self.checks, dry=self.dry)


class TestResult(BaseModel):
    """What the unit tests of one rule's text said, where the command line ran them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    passed: bool
    reason: Annotated[str, Field(max_length=300)]


class TestsOrder(Order):
    """Records what unit tests said. `data` tells which rules want some, and where the rules lie."""

    results: Annotated[list[TestResult], Field(max_length=100)] = []  # pydantic copies it

    async def carry_out(self, by: Person, control: Control) -> Done:
        results = [RuleTested(t.rule, t.sha256, t.passed, t.reason, by.name) for t in self.results]
        told = control.orders.proofs.take(by, results, dry=self.dry)
        data: dict[str, object] = {"wanted": list(control.orders.proofs.wanted())}
        if control.place is not None:
            data |= {
                "rules_dir": control.place.rules_dir,
                "environment": control.place.environment,
                "variables": dict(control.place.variables),
            }
        return Done("\n".join(told) or "nothing new is recorded", "tests", data)


class ApplyOrder(Order):
    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.apply(by, self.dry)


ORDERS: dict[str, type[Order]] = {
    "/v1/hold": HoldOrder,
    "/v1/release": ReleaseOrder,
    "/v1/deploy/begin": DeployBeginOrder,
    "/v1/deploy/end": DeployEndOrder,
    "/v1/deploy/unfreeze": UnfreezeOrder,
    "/v1/ack": AckOrder,
    "/v1/mark": MarkOrder,
    "/v1/impact": ImpactOrder,
    "/v1/follow-up/add": FollowUpAddOrder,
    "/v1/follow-up/close": FollowUpCloseOrder,
    "/v1/drill/record": DrillRecordOrder,
    "/v1/notify/test": NotifyTestOrder,
    "/v1/announce": AnnounceOrder,
    "/v1/tests": TestsOrder,
    "/v1/act": ActOrder,
    "/v1/approve": ApproveOrder,
    "/v1/deny": DenyOrder,
    "/v1/close": CloseOrder,
    "/v1/rollback": RollbackOrder,
    "/v1/undo": UndoOrder,
    "/v1/verify": VerifyOrder,
    "/-/reload": ApplyOrder,
}
"""Where each order is given; docs/api.md tells of them, and a test compares."""


def understood(path: str, body: bytes) -> Order | str:
    """The order, or what is wrong with it."""
    try:
        return ORDERS[path].model_validate_json(body or b"{}")
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())


async def carried_out(
    path: str, body: bytes, by: Person, control: Control
) -> tuple[int, dict[str, Any]]:
    """An order's HTTP status and answer."""
    order = understood(path, body)
    if isinstance(order, str):
        return 422, {"wrong": order}
    try:
        done = await order.carry_out(by, control)
    except OrderRefused as refused:
        return 409, {"refused": str(refused)}
    return 200, {"effect": done.effect, "target": done.target, "data": done.data}
