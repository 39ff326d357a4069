"""What can be done to a target, and in which order: actions, and the ladders made of them."""

from __future__ import annotations

from dataclasses import dataclass

# Check and HttpCall belong to a policy's words as well, and are imported from here.
from watchdog.core.asking import Check as Check  # noqa: PLC0414  # see above
from watchdog.core.asking import Command, Endpoint
from watchdog.core.asking import HttpCall as HttpCall  # noqa: PLC0414  # see above
from watchdog.core.releases import DeployRelease, back
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import Mode

How = Command | HttpCall | SwapTree | RestoreSystem | DeployRelease
"""Every way of changing a target."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way of changing the target and the state that it must lead to, as the read-back sees."""

    how: How
    expect: str  # JMESPath on the read-back's document


@dataclass(frozen=True, slots=True)
class Publish:
    """Makes what was changed be served. One that may not be repeated is left to people when its
    outcome is unknown.
    """

    command: Command
    idempotent: bool


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """A rollback, described as a desired state: "flag X is off"."""

    name: str
    target: str  # "flag:btc_mainnet_redemption"; what episodes claim and budgets count
    read_back: Endpoint
    do: Step
    undo: Step | None
    contained_when: tuple[Check, ...]
    resume_when: tuple[Check, ...]
    deadline_seconds: float  # total, from the intent to the read-back that shows it
    sla_seconds: float
    host: str  # "any", or the host whose daemon alone executes it
    sha256: str  # of the action as written, so that the record says which text was followed
    verify: tuple[Command, ...] = ()  # each must exit 0 before the change counts
    publish: Publish | None = None
    anchor_margin_seconds: float | None = None  # None: it restores nothing, or asks no age
    ready_when: tuple[Check, ...] = ()  # each must be true, or it is not ready
    drilled_within_seconds: float | None = None  # its good drill's age by which it asks people

    @property
    def written_steps(self) -> tuple[tuple[str, Step], ...]:
        """With their words; an undo of a release that was made out of its `do` was not written."""
        do, undo = self.do.how, self.undo.how if self.undo is not None else None
        made = isinstance(do, DeployRelease) and undo == back(do)
        steps = (("do", self.do), ("undo", None if made else self.undo))
        return tuple((word, step) for word, step in steps if step is not None)


@dataclass(frozen=True, slots=True)
class Rung:
    action: str
    mode: Mode
    within_seconds: float  # how long after the effect the episode must be contained or recovered
    approvals: int = 1  # distinct people who must say yes where it asks
    approve_within_seconds: float = 3600.0  # how long they are asked
    attribute_within_seconds: float | None = None  # back to a deploy that must have led to it


@dataclass(frozen=True, slots=True)
class Playbook:
    """With `each` it is that of a family: all that its members may reach together. Nothing climbs
    it; each member climbs its own, which has the same name with the member's labels behind it.
    """

    name: str
    rungs: tuple[Rung, ...]
    each: tuple[str, ...] = ()
