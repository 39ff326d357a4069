"""The command `new`: from a Prometheus to a first rule in shadow, with an action and a test."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from pydantic_core import PydanticCustomError

from watchdog.actions import open_probe
from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.new_files import Wanted, put_down
from watchdog.cli.new_page import nothing_found, result_of, show_result
from watchdog.cli.page import Page
from watchdog.cli.shared import AsJson, fail, seconds
from watchdog.clock import SystemClock
from watchdog.core.spec import Endpoint, Header
from watchdog.core.words import Truth
from watchdog.lab.first_rule import (
    EXAMPLE_FOLDER,
    Action,
    Choice,
    NotSeen,
    Plan,
    Seen,
    Wish,
    choose,
    default_name,
    default_owner,
    example_action,
    flag_action,
    look,
    rules_files,
    settings_text,
)
from watchdog.policy.scalars import address, is_name
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

FLAG_SECONDS = 5.0


class FlagUnread(Exception):
    """The flag cannot be read back; the message says what came."""


def _name(value: str | None) -> str | None:
    if value is not None and (not is_name(value) or value in {"platform", "vars", "manual"}):
        raise typer.BadParameter(f"{value!r}: write small letters, digits and hyphens")
    return value


def _address(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        found = address(value)
    except PydanticCustomError as error:
        what = (error.context or {}).get("what", error.message())
        raise typer.BadParameter(
            f"{what}. Write it like http://host:9090; a credential's name goes into an option"
        ) from None
    if "{{" in found:
        raise typer.BadParameter("two braces in an address: our files would read a variable there")
    return found


Url = Annotated[
    str, typer.Option(callback=_address, help="The Prometheus to look at: http://host:9090")
]
Into = Annotated[Path, typer.Option(help="The rules folder; made where there is none.")]
RuleName = Annotated[
    str | None, typer.Option(callback=_name, help="The rule's name; else made of its job.")
]
Owner = Annotated[
    str | None, typer.Option(callback=_name, help="Whose rule it is: the folder's name.")
]
Environment = Annotated[
    str, typer.Option(callback=_name, help="The environment that the files name.")
]
Metric = Annotated[
    str | None, typer.Option(help="Watch this metric; else the one with the most traffic.")
]
Job = Annotated[str | None, typer.Option(help="Watch this job only.")]
FlagApi = Annotated[
    str | None,
    typer.Option(
        callback=_address,
        help="Where a flag is read by GET and set by PUT, as JSON with `enabled`; the flag's name "
        "is put after it.",
    ),
]
Flag = Annotated[
    str | None, typer.Option(help="With --flag-api: the flag whose going off stops the harm.")
]
FlagSecret = Annotated[
    str | None,
    typer.Option(callback=_name, help="With --flag-api: the credential's name, as Bearer."),
]
Secret = Annotated[
    str | None,
    typer.Option(
        "--secret", callback=_name, help="The credential's name that Prometheus wants, as Bearer."
    ),
]
SecretsDir = Annotated[
    Path | None,
    typer.Option("--secrets-dir", help="Where credentials lie; else secrets/ beside the rules."),
]
Deadline = Annotated[str, typer.Option(help="How long to look, in total.")]


def new(
    prometheus: Url,
    into: Into = Path("rules"),
    name: RuleName = None,
    owner: Owner = None,
    environment: Environment = "production",
    metric: Metric = None,
    job: Job = None,
    flag_api: FlagApi = None,
    flag: Flag = None,
    flag_secret: FlagSecret = None,
    secret: Secret = None,
    secrets_dir: SecretsDir = None,
    deadline: Deadline = "60s",
    as_json: AsJson = False,
) -> None:
    """Write one shadow rule, one action and one test, from what a Prometheus holds.

    Takes the counter of requests with the most traffic whose labels tell failures, and says why.
    What is written was checked and tested before; nothing that exists is overwritten.
    """
    if (flag_api is None) is not (flag is None) or (flag_secret and flag_api is None):
        fail("--flag-api and --flag belong together, and --flag-secret to them", WRONG_USAGE)
    action = _action(into, flag_api, flag, flag_secret)
    secrets = secrets_dir or into.resolve().parent / "secrets"
    headers = (Header("Authorization", "Bearer ", secret),) if secret is not None else ()
    endpoint = Endpoint(prometheus, headers)
    within = seconds(deadline) or 60.0
    try:
        seen = asyncio.run(_look(endpoint, secrets, Wish(metric, job), within, action))
    except (NotSeen, FlagUnread) as error:
        fail(f"{error}. Nothing was written", NOT_SO)
    choice = choose(seen.candidates, seen.dismissed, seen.every)
    if not isinstance(choice, Choice):
        fail(nothing_found(seen, choice, prometheus), NOT_SO)
    one = choice.taken
    plan = Plan(
        choice=choice,
        action=action,
        prometheus=prometheus,
        secret=secret,
        environment=environment,
        owner=owner or default_owner(one),
        rule=name or default_name(one),
        every_seconds=seen.every(one.job),
    )
    folder = str(secrets.resolve()) if secret or flag_secret else None
    settings = settings_text(environment, into.resolve().name, folder)
    wanted = Wanted(into, rules_files(plan), action.files, settings, environment)
    put = put_down(wanted)
    result = result_of(plan, put, into)
    if as_json:
        print(json.dumps(result))
    else:
        show_result(Page(), plan, result)


def _action(into: Path, api: str | None, flag: str | None, secret: str | None) -> Action:
    if api is None or flag is None:
        folder = str(into.resolve().parent / EXAMPLE_FOLDER)
        if "{{" in folder:
            fail(f"{folder}: two braces in a path: our files would read a variable there", NOT_SO)
        return example_action(folder)
    if not flag.isascii() or not flag.replace("_", "").replace(".", "").replace("-", "").isalnum():
        fail(f"--flag {flag!r}: letters, digits, _ . and - only", WRONG_USAGE)
    return flag_action(f"{api.rstrip('/')}/{quote(flag)}", flag, secret)


async def _look(
    endpoint: Endpoint, secrets: Path, wish: Wish, within: float, action: Action
) -> Seen:
    """Ask what is there, and whether the flag can be read. Raises NotSeen, FlagUnread."""
    wire = Wire(FileSecrets([secrets]))
    try:
        if action.read_back:
            found = await open_probe(wire).read(
                Endpoint(action.read_back),
                "enabled == `false`",
                at=SystemClock().now(),
                deadline_seconds=FLAG_SECONDS,
            )
            if found.truth is Truth.UNKNOWN:
                raise FlagUnread(
                    f"{action.read_back}: the flag cannot be read there: {found.reason}"
                )
        return await look(endpoint, wire, time.time(), wish, within)
    finally:
        await wire.aclose()
