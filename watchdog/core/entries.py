"""The journal's entries: everything that ever changes what the watchdog believes or does.

The journal is the only road from effects back to decisions: `book.py` folds these into the
present state, after a restart exactly as before it. Each is a frozen value of plain data.
`kind` names it in the journal and never changes its meaning; a new meaning is a new kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# These are entries like those below, or parts of one, and are imported from here.
from watchdog.core.alertmanager import AlertmanagerTurned as AlertmanagerTurned  # noqa: PLC0414  # see above
from watchdog.core.approvals import ApprovalAsked as ApprovalAsked  # noqa: PLC0414  # see above
from watchdog.core.approvals import ApprovalGiven as ApprovalGiven  # noqa: PLC0414  # see above
from watchdog.core.aside import Unread as Unread  # noqa: PLC0414  # see above
from watchdog.core.channels import EventReceived as EventReceived  # noqa: PLC0414  # see above
from watchdog.core.decided import Decided as Decided  # noqa: PLC0414  # see above
from watchdog.core.decided import GateAnswer as GateAnswer  # noqa: PLC0414  # see above
from watchdog.core.decided import Ruling as Ruling  # noqa: PLC0414  # see above
from watchdog.core.deploys import DeployBegan as DeployBegan  # noqa: PLC0414  # see above
from watchdog.core.deploys import DeployEnded as DeployEnded  # noqa: PLC0414  # see above
from watchdog.core.deploys import FreezeLifted as FreezeLifted  # noqa: PLC0414  # see above
from watchdog.core.drills import DrillEnded as DrillEnded  # noqa: PLC0414  # see above
from watchdog.core.drills import DrillEntry
from watchdog.core.drills import DrillMissed as DrillMissed  # noqa: PLC0414  # see above
from watchdog.core.filled import WindowsFilled as WindowsFilled  # noqa: PLC0414  # see above
from watchdog.core.filled import WindowsUnfilled as WindowsUnfilled  # noqa: PLC0414  # see above
from watchdog.core.hindsight import FollowUpAdded as FollowUpAdded  # noqa: PLC0414  # see above
from watchdog.core.hindsight import FollowUpClosed as FollowUpClosed  # noqa: PLC0414  # see above
from watchdog.core.hindsight import ImpactTold as ImpactTold  # noqa: PLC0414  # see above
from watchdog.core.intents import CameLate as CameLate  # noqa: PLC0414  # see above
from watchdog.core.intents import IntentEnded as IntentEnded  # noqa: PLC0414  # see above
from watchdog.core.intents import IntentOpened as IntentOpened  # noqa: PLC0414  # see above
from watchdog.core.intents import Outcome as Outcome  # noqa: PLC0414  # see above
from watchdog.core.intents import StepBegan as StepBegan  # noqa: PLC0414  # see above
from watchdog.core.intents import StepTaken as StepTaken  # noqa: PLC0414  # see above
from watchdog.core.measured import ImpactMeasured as ImpactMeasured  # noqa: PLC0414  # see above
from watchdog.core.measured import ServiceTurned as ServiceTurned  # noqa: PLC0414  # see above
from watchdog.core.membership import MemberRetired as MemberRetired  # noqa: PLC0414  # see above
from watchdog.core.membership import MemberTaken as MemberTaken  # noqa: PLC0414  # see above
from watchdog.core.promotions import (
    RuleDemoted,
    RulePromoted,
    RuleTested,
    ShadowBegan,
    ShadowEnded,
)
from watchdog.core.samples import Labels
from watchdog.core.silences import SilenceEnded as SilenceEnded  # noqa: PLC0414  # see above
from watchdog.core.silences import SilenceSeen as SilenceSeen  # noqa: PLC0414  # see above
from watchdog.core.spec import Scope
from watchdog.core.states import Event, State
from watchdog.core.telling.notes import Announced as Announced  # noqa: PLC0414  # see above
from watchdog.core.telling.notes import Escalated as Escalated  # noqa: PLC0414  # see above
from watchdog.core.telling.notes import NoteTold as NoteTold  # noqa: PLC0414  # see above
from watchdog.core.telling.pages_told import StatusNotShown as StatusNotShown  # noqa: PLC0414  # see above
from watchdog.core.telling.pages_told import StatusShown as StatusShown  # noqa: PLC0414  # see above
from watchdog.core.telling.topics import Topic
from watchdog.core.trees import Anchor
from watchdog.core.urgency import Urgency
from watchdog.core.verification import VerificationEntry
from watchdog.core.words import Blind, Instant, Severity, Truth, Verdict, World


@dataclass(frozen=True, slots=True)
class Started:
    """A daemon began, or took over from another. `boot` tells whether the steady clock could go on
    by itself.
    """

    version: str
    host: str
    boot: str
    environment: str
    max_mode: str
    down_seconds: float  # since the last pass that was completed before, by whoever led
    daemon: str = ""  # its name among those that share the record
    epoch: int = 1  # in which it leads
    kind: Literal["daemon.started"] = "daemon.started"


@dataclass(frozen=True, slots=True)
class Stopped:
    reason: str
    kind: Literal["daemon.stopped"] = "daemon.stopped"


@dataclass(frozen=True, slots=True)
class Slept:
    """No pass for long, though the process lived: suspended, stopped, or starved."""

    seconds: float
    kind: Literal["daemon.slept"] = "daemon.slept"


@dataclass(frozen=True, slots=True)
class PolicyApplied:
    """From here on this policy judges. `rearmed` are rules that may act only after once clear.

    `hear_anew` are event rules of another text: by it, what was heard before starts nothing.
    """

    sha256: str
    parts: tuple[tuple[str, str], ...]  # (owner, sha256)
    actor: str
    changes: tuple[str, ...] = ()
    rearmed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()  # (path in the rules folder, text): to load again
    hear_anew: tuple[str, ...] = ()
    tells: bool = False  # it names people or channels that are to be told
    kind: Literal["policy.applied"] = "policy.applied"


@dataclass(frozen=True, slots=True)
class RuleCleared:
    """Healthy with its short window wholly observed: the next breach of it may act."""

    rule: str
    kind: Literal["rule.cleared"] = "rule.cleared"


@dataclass(frozen=True, slots=True)
class BlindBegan:
    rule: str
    blind: Blind
    reason: str
    kind: Literal["blind.began"] = "blind.began"


@dataclass(frozen=True, slots=True)
class BlindEnded:
    rule: str
    seconds: float
    kind: Literal["blind.ended"] = "blind.ended"


@dataclass(frozen=True, slots=True)
class EpisodeOpened:
    """A rule's trouble began, or a person commanded a rollback (`rule` is "manual" then)."""

    episode: str  # "E42"
    rule: str
    owner: str
    severity: Severity
    world: World
    verdict: Verdict | None
    rule_sha256: str = ""
    reopens: str = ""  # the episode whose undo this follows
    chain: int = 0  # how many reopenings lie behind it
    barred: str = ""  # why it may not act by itself: "already burning: ..."
    actor: str = ""
    why: str = ""
    labels: Labels = ()  # by which its alert is known, and silences are matched
    first_bad: Instant | None = None  # when the samples were taken that were bad first, where known
    breached: Instant | None = None  # when that was seen, where it could only be recorded later
    kind: Literal["episode.opened"] = "episode.opened"


@dataclass(frozen=True, slots=True)
class EpisodeMoved:
    episode: str
    before: State
    event: Event
    after: State
    rung: int
    reason: str
    actor: str = ""
    verdict: Verdict | None = None
    kind: Literal["episode.moved"] = "episode.moved"


@dataclass(frozen=True, slots=True)
class EpisodeBarred:
    """The breach went on under a hold, silence, window or lower mode: already burning."""

    episode: str
    reason: str
    kind: Literal["episode.barred"] = "episode.barred"


@dataclass(frozen=True, slots=True)
class EpisodeUnbarred:
    """A person said `act`."""

    episode: str
    actor: str
    reason: str
    through_hold: bool = False
    kind: Literal["episode.unbarred"] = "episode.unbarred"


@dataclass(frozen=True, slots=True)
class ClaimReleased:
    """The episode no longer needs the target's state."""

    episode: str
    target: str
    reason: str
    actor: str = ""
    kind: Literal["claim.released"] = "claim.released"


@dataclass(frozen=True, slots=True)
class Drifted:
    """Somebody else changed a target that episodes claim. Paged, never forced back."""

    target: str
    action: str
    episodes: tuple[str, ...]
    seen: str
    kind: Literal["target.drifted"] = "target.drifted"


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """A person's stop; `silence` also keeps the pages of what it covers back."""

    hold: str  # "H3"
    scope: Scope
    reason: str
    actor: str
    expires: Instant | None
    silence: bool = False
    kind: Literal["hold.placed"] = "hold.placed"


@dataclass(frozen=True, slots=True)
class HoldEnded:
    hold: str
    actor: str  # "expiry" when its time was over
    reason: str
    kind: Literal["hold.ended"] = "hold.ended"


@dataclass(frozen=True, slots=True)
class Acked:
    """Stops escalation; nothing more."""

    episode: str
    actor: str
    reason: str = ""
    kind: Literal["episode.acked"] = "episode.acked"


@dataclass(frozen=True, slots=True)
class Marked:
    episode: str
    mark: Literal["true", "false", "explained", "drill"]
    actor: str
    reason: str = ""
    kind: Literal["episode.marked"] = "episode.marked"


@dataclass(frozen=True, slots=True)
class ReadinessChanged:
    action: str
    ready: Truth
    reason: str
    anchor: Anchor | None = None  # what it would restore, where it restores something
    kind: Literal["action.readiness"] = "action.readiness"


@dataclass(frozen=True, slots=True)
class Paged:
    """People must know. With a `note` it is sent from the outbox, at least once, by that name."""

    key: str  # what it is about, for grouping: "episode:E42", "rule:x:blind"
    severity: Severity
    title: str
    body: str
    silenced: bool = False
    urgency: Urgency | None = None  # None: recorded before pages said it
    note: str = ""  # "N4"; none where nobody is to be told, or it is silenced
    topic: Topic = Topic.NOTICE
    to: tuple[str, ...] = ()  # whom it is for, by the names of the contacts; the team where none
    by: tuple[str, ...] = ()  # the channels that are used for people; none named is all
    kind: Literal["page.raised"] = "page.raised"


Entry = (
    EventReceived
    | Started
    | Stopped
    | Slept
    | PolicyApplied
    | RuleCleared
    | WindowsFilled
    | WindowsUnfilled
    | BlindBegan
    | BlindEnded
    | EpisodeOpened
    | EpisodeMoved
    | EpisodeBarred
    | EpisodeUnbarred
    | ApprovalAsked
    | ApprovalGiven
    | Decided
    | IntentOpened
    | StepBegan
    | StepTaken
    | IntentEnded
    | CameLate
    | ClaimReleased
    | Drifted
    | HoldPlaced
    | HoldEnded
    | DeployBegan
    | DeployEnded
    | FreezeLifted
    | Acked
    | Marked
    | ReadinessChanged
    | ShadowBegan
    | ShadowEnded
    | RuleTested
    | RulePromoted
    | RuleDemoted
    | SilenceSeen
    | SilenceEnded
    | AlertmanagerTurned
    | ServiceTurned
    | ImpactMeasured
    | MemberTaken
    | MemberRetired
    | ImpactTold
    | FollowUpAdded
    | FollowUpClosed
    | DrillEntry
    | VerificationEntry
    | Unread
    | Paged
    | NoteTold
    | Escalated
    | Announced
    | StatusShown
    | StatusNotShown
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the journal."""

    seq: int  # 1, 2, 3, ... without a gap
    at: Instant
    entry: Entry
    hash: str  # SHA-256 over the previous hash and this row, in hex
