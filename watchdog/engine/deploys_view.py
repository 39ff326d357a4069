"""Deploys for people, pages and pipelines: what is under way, what is frozen, what was deployed."""

from __future__ import annotations

from itertools import islice

from watchdog.core.changes import Deploy
from watchdog.core.deploying import frozen
from watchdog.core.deploys import ALL
from watchdog.engine.deploys import DeployDesk
from watchdog.engine.engine import Engine
from watchdog.engine.present import TargetNow
from watchdog.engine.shapes_around import DeployShape, DeploysShape, StandingDeploysShape
from watchdog.engine.verdict_view import utc

SHOWN_PAST = 100


def deploys_view(engine: Engine) -> DeploysShape:
    """`targets` says of each whether a deploy of it may begin; `past` begins with the newest."""
    desk, past = DeployDesk(engine), engine.book.deploys.past
    return {
        **standing_deploys(engine),
        "targets": [
            {"target": name, "may_begin": not why, "why_not": why}
            for name, why in ((name, desk.why_not(name)) for name in desk.targets())
        ],
        "past": [_deploy(one, engine) for one in islice(reversed(past.values()), SHOWN_PAST)],
    }


def standing_deploys(engine: Engine) -> StandingDeploysShape:
    """What is under way, and what may not be deployed, and by whose word it may again."""
    book = engine.book
    return {
        "deploys": [_deploy(one, engine) for one in book.deploys.open.values()],
        "frozen": [
            {
                "target": one.target,
                "episode": one.episode,
                "why": one.why,
                "lifted_by": one.lifted_by,
            }
            for one in frozen(ALL, book)
        ],
    }


def targets_now(engine: Engine) -> tuple[TargetNow, ...]:
    """For metrics: as many as the policy has targets, and one."""
    opened = engine.book.deploys.open
    cold = {one.target for one in frozen(ALL, engine.book)}
    return tuple(
        TargetNow(name, name in opened, name in cold or (name == ALL and bool(cold)))
        for name in DeployDesk(engine).targets()
    )


def _deploy(one: Deploy, engine: Engine) -> DeployShape:
    most = engine.in_force().limits.deploy_max_seconds
    keeps = one.keeps_back(most, engine.ports.clock.now())
    return {
        "deploy": one.name,
        "target": one.target,
        "actor": one.actor,
        "id": one.id,
        "change": one.change,
        "reason": one.reason,
        "began": utc(one.began),
        "until": utc(one.expires),
        "keeps_back_until": utc(one.over(most)) if keeps else None,
        "ended": utc(one.ended) if one.ended is not None else None,
        "outcome": one.outcome or None,
        "ended_by": one.ended_by or None,
    }
