"""Commands that change something: each shows its effect first and asks for the target's name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from watchdog.cli import completing
from watchdog.cli.exits import NOT_SO
from watchdog.cli.proving import tell_tests
from watchdog.cli.shared import (
    DEFAULT_SOCKET,
    AsJson,
    Reason,
    Socket,
    Yes,
    fail,
    give,
    seconds,
)

Episode = Annotated[
    str,
    typer.Argument(
        help="An episode's name, as in status: E42.", autocompletion=completing.open_episodes
    ),
]
For = Annotated[str | None, typer.Option("--for", help="How long: 30m, 2h, 1d.")]
Through = Annotated[
    bool, typer.Option("--through-hold", help="Act although a hold or window covers it.")
]


class Kind(StrEnum):
    """The manual triggers of the rollback procedures."""

    EXECUTIVE = "executive"
    COMMUNITY = "community"
    REGULATORY = "regulatory"
    TECHNICAL = "technical"


class MarkAs(StrEnum):
    TRUE = "true"
    FALSE = "false"
    EXPLAINED = "explained"
    DRILL = "drill"


def hold(
    reason: Reason,
    everything: Annotated[bool, typer.Option("--all", help="Hold everything.")] = False,
    owner: Annotated[
        str, typer.Option(help="Hold one owner's rules.", autocompletion=completing.owners)
    ] = "",
    rule: Annotated[str, typer.Option(help="Hold one rule.", autocompletion=completing.rules)] = "",
    target: Annotated[
        str, typer.Option(help="Hold one target: flag:NAME.", autocompletion=completing.targets)
    ] = "",
    for_: For = None,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Stop automatic starts, at once; what is under way finishes."""
    scopes = {"owner": owner, "rule": rule, "target": target}
    chosen = [(kind, name) for kind, name in scopes.items() if name]
    named = [*(["--all"] if everything else []), *(f"--{kind} {name}" for kind, name in chosen)]
    if not named:
        raise typer.BadParameter(
            "say what to hold: --all, or one of --owner NAME, --rule NAME, --target NAME"
        )
    if len(named) > 1:
        raise typer.BadParameter(
            f"one hold covers one thing, and this names {len(named)}: {', '.join(named)}. "
            "Leave one of them, or place a hold for each"
        )
    kind, name = chosen[0] if chosen else ("all", "")
    order = {"scope": kind, "name": name, "reason": reason, "for_seconds": seconds(for_)}
    give(socket, "/v1/hold", order, yes=yes, as_json=as_json)


def silence(
    rule: Annotated[str, typer.Argument(help="The rule's name.", autocompletion=completing.rules)],
    reason: Reason,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")],
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Hold one rule and keep its pages back, for a time; it ends by itself, or by `release`."""
    order = {
        "scope": "rule",
        "name": rule,
        "reason": reason,
        "for_seconds": seconds(for_),
        "silence": True,
    }
    give(socket, "/v1/hold", order, yes=yes, as_json=as_json)


def release(
    hold: Annotated[
        str,
        typer.Argument(help="A hold's name, as in status: H3.", autocompletion=completing.holds),
    ],
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """End a hold or silence; by itself this starts nothing."""
    give(socket, "/v1/release", {"hold": hold, "reason": reason}, yes=yes, as_json=as_json)


def approve(
    episode: Episode,
    reason: Reason,
    through_hold: Through = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Say yes to what an episode asks for; what would run and be lost is shown first.

    With the last yes that is missing every gate is asked once more, and it is done.
    """
    order = {"episode": episode, "reason": reason, "through_hold": through_hold}
    give(socket, "/v1/approve", order, yes=yes, as_json=as_json)


def deny(
    episode: Episode,
    reason: Reason,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Say no to what an episode asks for: nothing is done, and a person must close it."""
    give(socket, "/v1/deny", {"episode": episode, "reason": reason}, yes=yes, as_json=as_json)


def rollback(
    action: Annotated[
        str, typer.Argument(help="The action's name.", autocompletion=completing.actions)
    ],
    kind: Annotated[Kind, typer.Option(help="Which manual trigger this is.")],
    reason: Reason,
    through_hold: Through = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Roll back by a person's decision, and prove it by reading it back.

    Where the action needs more than one person's word (a system restore), others are asked first.
    """
    order = {"action": action, "kind": kind, "reason": reason, "through_hold": through_hold}
    _must_be_done(give(socket, "/v1/rollback", order, yes=yes, as_json=as_json))


def undo(
    what: Annotated[
        str,
        typer.Argument(
            help="An episode (E42), or an action's name.",
            autocompletion=completing.episodes_or_actions,
        ),
    ],
    reason: Reason = "",
    force: Annotated[
        bool, typer.Option("--force", help="Although resume_when is not true; needs --reason.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Switch back what an episode rolled back, when it is safe to, and watch it."""
    order = {"what": what, "reason": reason, "force": force}
    _must_be_done(give(socket, "/v1/undo", order, yes=yes, as_json=as_json))


def ack(
    episode: Episode,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Say that somebody is looking: stops escalation, no more."""
    give(socket, "/v1/ack", {"episode": episode, "reason": reason}, yes=yes, as_json=as_json)


def act(
    episode: Episode,
    reason: Reason,
    through_hold: Through = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Let an episode act that is held as already burning."""
    order = {"episode": episode, "reason": reason, "through_hold": through_hold}
    give(socket, "/v1/act", order, yes=yes, as_json=as_json)


def close(
    episode: Episode,
    reason: Reason,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Close a latched episode, or one whose rule was removed or whose label set is gone."""
    give(socket, "/v1/close", {"episode": episode, "reason": reason}, yes=yes, as_json=as_json)


def mark(
    episode: Annotated[
        str,
        typer.Argument(
            help="An episode's name: E42. It may be over.", autocompletion=completing.episodes
        ),
    ],
    as_: Annotated[MarkAs, typer.Argument(metavar="MARK", help="true, false, explained, drill.")],
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Say what an episode was: evidence for promoting its rule rests on it."""
    order = {"episode": episode, "mark": as_, "reason": reason}
    give(socket, "/v1/mark", order, yes=yes, as_json=as_json)


def apply(
    tests: Annotated[
        bool, typer.Option("--tests/--no-tests", help="Run the unit tests that evidence wants.")
    ] = True,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Show what loading the rules folder would change, and load it.

    The first start takes the rules folder as it is, without this; afterwards only this
    loads it, or a SIGHUP to the daemon. Then it runs the unit tests of rules that may act only by
    earned evidence and have no passing test on the record, and records what they say.
    """
    done = give(socket, "/-/reload", {}, yes=yes, as_json=as_json)
    if tests:
        tell_tests(socket, quiet=as_json)
    if done["data"].get("errors"):
        fail("Some of it was not loaded; see above", NOT_SO)


def _must_be_done(done: dict[str, object]) -> None:
    """Success is a read-back that shows it; anything else is an exit status of 1."""
    data = done["data"]
    outcome = data.get("outcome") if isinstance(data, dict) else None
    if outcome is not None and outcome not in {"done", "found"}:
        raise typer.Exit(NOT_SO)
