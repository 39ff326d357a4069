"""What a program knows of actions, as daemons of different versions tell it to one another.

Laws
* It is derived from the types, never written by hand: all that an action may be made of (`way:`)
  and what its course writes into the record (`entry:`), each with its fields.
* A daemon can finish an action after a takeover only if it knows every part that the action is
  made of, every field by which a part says something, and every field of those entries, since an
  entry with a field that a program does not know is refused by it. Else the action is not started.
* Nothing is unlearned: a name that was told once stays known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from watchdog.core.acting import ActionSpec
from watchdog.core.entries import (
    Decided,
    EpisodeMoved,
    IntentEnded,
    IntentOpened,
    StepBegan,
    StepTaken,
)

COURSE = (Decided, EpisodeMoved, IntentOpened, StepBegan, StepTaken, IntentEnded)
"""The entries of an action, from the decision to its end."""

MOST_NAMED = 3
"""So many of the words that a daemon lacks are shown."""


def _types(kind: Any) -> Iterator[Any]:
    """The dataclasses that a value of this type may hold, itself among them."""
    if is_dataclass(kind):
        yield kind
        inside: Iterable[Any] = get_type_hints(kind).values()
    else:
        inside = get_args(kind)  # of a union, a tuple
    for one in inside:
        yield from _types(one)


def _named(kind: type) -> str:
    """An entry's own kind, or the name of what it or an action is made of, in small letters."""
    for one in fields(kind):
        if one.name == "kind" and isinstance(one.default, str):
            return one.default
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def _words(about: str, kinds: Iterable[Any]) -> Iterator[str]:
    for kind in kinds:
        name = f"{about}:{_named(kind)}"
        yield name
        yield from (f"{name}/{one.name}" for one in fields(kind))


_ENTRIES = frozenset(word for entry in COURSE for word in _words("entry", _types(entry)))
CAPABILITIES = _ENTRIES.union(_words("way", _types(ActionSpec)))
"""What this program knows."""

BEFORE_IT_WAS_TOLD = (
    "entry:decision.made/action,basis,decision,episode,gates,inputs,kind,policy_sha256,reason,"
    "rule,rule_sha256,ruling,rung,verdict,world entry:episode.moved/actor,after,before,episode,"
    "event,kind,reason,rung,verdict entry:gate-answer/gate,passed,reason entry:instant/steady,"
    "wall entry:intent.ended/action,direction,effect_at,episode,intent,kind,outcome,read_back,"
    "reason,seconds,target entry:intent.opened/action,action_sha256,actor,approved_by,deadline,"
    "decision,direction,episode,facts,intent,kind,plan,reason,sla_seconds,target,through_hold "
    "entry:intent.step/facts,intent,kind,output,reason,result,seconds,step "
    "entry:intent.step_began/epoch,intent,kind,step entry:verdict/at,blind,bound,clear,"
    "evidence,reason,sampled_at,status,value entry:window-reading/bad,burn,coverage,factor,"
    "filled,ratio,seconds,total way:action-spec/anchor_margin_seconds,contained_when,"
    "deadline_seconds,do,host,name,publish,read_back,ready_when,resume_when,sha256,sla_seconds,"
    "target,undo,verify way:check/endpoint,expect way:command/argv,cwd,env "
    "way:deploy-release/anchor,asks_only,by,deployable,displaced,idempotent,present,target "
    "way:endpoint/ca_file,given,headers,url way:field-of/endpoint,released_at,value "
    "way:header/name,secret,value way:http-call/body,endpoint,method way:line-of/path "
    "way:printed-by/command way:publish/command,idempotent way:restore-system/archive,"
    "max_age_seconds,root,services,undo,verify,verify_in way:stated/text way:step/expect,how "
    "way:swap-tree/current,displaced,facts,keep_backups,mutable,previous"
)
"""What a daemon knows that does not say it: a program of the time before this was told."""


@lru_cache(maxsize=64)
def written(words: frozenset[str]) -> str:
    """In short, for a column of a table: "way:command/argv,cwd,env way:step/expect,how"."""
    found: dict[str, list[str]] = {}
    for word in sorted(words):
        name, _, part = word.partition("/")
        found.setdefault(name, []).extend([part] if part else [])
    return " ".join(f"{name}/{','.join(parts)}" for name, parts in found.items())


@lru_cache(maxsize=64)
def read(text: str | None) -> frozenset[str]:
    """The words again, those of a newer program too; None is who does not say what it knows."""
    found = set[str]()
    for group in (BEFORE_IT_WAS_TOLD if text is None else text).split():
        name, _, parts = group.partition("/")
        found.add(name)
        found.update(f"{name}/{part}" for part in parts.split(",") if part)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Fellow:
    """Another daemon that may have to take over."""

    name: str
    version: str
    knows: frozenset[str]

    def lacks(self, words: frozenset[str]) -> str:
        """Those of the words that it does not know, the first few by name; "" where it has all."""
        lacking = words - self.knows
        named = sorted(word for word in lacking if word.partition("/")[0] not in lacking - {word})
        shown = ", ".join(f"`{word.partition(':')[2]}`" for word in named[:MOST_NAMED])
        return f"{shown} and {len(named) - MOST_NAMED} more" if named[MOST_NAMED:] else shown


@lru_cache(maxsize=1024)
def needs(action: ActionSpec) -> frozenset[str]:
    """What a program must know to carry out this action, to end it, and to read what became so."""
    return _ENTRIES.union(_used(action))


def unfinished_by(action: ActionSpec, fellows: Iterable[Fellow]) -> str:
    """Which daemons could not finish the action, why, and what to do; "" where all could."""
    found = [
        f"{one.name} ({one.version}) could not finish it after a takeover: it does not know {lacks}"
        for one in fellows
        if not one.knows >= CAPABILITIES and (lacks := one.lacks(needs(action)))
    ]
    return "; ".join(found) + ". Install the same version there, or stop it" if found else ""


def _used(value: Any) -> Iterator[str]:
    """The parts that a value is made of, and their fields that say something."""
    if isinstance(value, tuple):
        for one in value:
            yield from _used(one)
    elif is_dataclass(value):
        name = f"way:{_named(type(value))}"
        yield name
        for one in fields(value):
            inside = getattr(value, one.name)
            if inside != _unsaid(one):
                yield f"{name}/{one.name}"
                yield from _used(inside)


def _unsaid(one: Field[Any]) -> object:
    """What stands in a field that says nothing: without it, an older program means the same."""
    if one.default is not MISSING:
        return one.default
    return MISSING if one.default_factory is MISSING else one.default_factory()
