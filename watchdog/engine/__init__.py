"""The engine: passes, the runner, custody of what was rolled back, people's orders, views.

Works on ports alone; which adapters stand behind them is the composition root's affair. The
names here are the facade: faces (web, cli) use nothing else of it.
"""

from watchdog.engine.checkpoints import last_pass
from watchdog.engine.decisions_view import decisions_of
from watchdog.engine.deploys import DeployDesk, DeployRefused, DeployTold, NotRecorded, Wish
from watchdog.engine.drills_view import DrillNow
from watchdog.engine.engine import Engine
from watchdog.engine.evidence_view import recorded_evidence
from watchdog.engine.filling import Progress
from watchdog.engine.given import Ports, Process, RulesFolder
from watchdog.engine.inbox import Inbox, Taken
from watchdog.engine.lessons_view import LessonsNow
from watchdog.engine.measures_view import MeasuresNow
from watchdog.engine.orders import (
    KINDS,
    Done,
    OrderRefused,
    Orders,
    OrderUnrecorded,
    Person,
    Wanted,
    unrecorded,
)
from watchdog.engine.plan_view import NoPlan, PlanView
from watchdog.engine.preflight import ready_now as ready_now
from watchdog.engine.present import Present, RuleNow
from watchdog.engine.shapes import ActionShape, DecisionShape, EpisodeShape, FollowUpShape
from watchdog.engine.shapes_around import DeploysShape, PeriodShape, StatusShape, WhyShape
from watchdog.engine.telling_view import TellingNow
from watchdog.engine.verdict_view import verdict_view
from watchdog.engine.views import Views

__all__ = [
    "KINDS",
    "ActionShape",
    "DecisionShape",
    "DeployDesk",
    "DeployRefused",
    "DeployTold",
    "DeploysShape",
    "Done",
    "DrillNow",
    "Engine",
    "EpisodeShape",
    "FollowUpShape",
    "Inbox",
    "LessonsNow",
    "MeasuresNow",
    "NoPlan",
    "NotRecorded",
    "OrderRefused",
    "OrderUnrecorded",
    "Orders",
    "PeriodShape",
    "Person",
    "PlanView",
    "Ports",
    "Present",
    "Process",
    "Progress",
    "RuleNow",
    "RulesFolder",
    "StatusShape",
    "Taken",
    "TellingNow",
    "Views",
    "Wanted",
    "WhyShape",
    "Wish",
    "decisions_of",
    "last_pass",
    "ready_now",
    "recorded_evidence",
    "unrecorded",
    "verdict_view",
]
