"""The shapes of actions that deploy a version again: how versions are told, proven and deployed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.drills import DRILLED_WITHIN
from watchdog.policy.platform_models import (
    VERIFICATION,
    Argument,
    CallShape,
    CheckShape,
    Each,
    EnvName,
    Headers,
    HostName,
    Verification,
)
from watchdog.policy.scalars import AbsolutePath, Address, Duration, Expression, matching

ServiceName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "name of a service", "Write it like shop.")
]
Version = Annotated[
    str,
    matching(
        r"(?!.*//)(?!.*/\.)[A-Za-z0-9][A-Za-z0-9._:+/@-]{0,198}[A-Za-z0-9._:+@-]|[A-Za-z0-9]",
        "version",
        "Letters, digits and ._:+/@-, like v2.4.1; in quotes where it would be a number.",
    ),
]


class AskedShape(Shape):
    """A command, or a JSON document: what both kinds of question are written with."""

    run: Annotated[list[Argument], Field(min_length=1, max_length=100)] | None = Field(
        None, description="command as a list of arguments; there is no shell"
    )
    cwd: AbsolutePath | None = Field(None, description="run: folder to run in")
    env: list[EnvName] = Field([], description="run: names of the variables let through")
    get: Address | None = Field(None, description="address of a JSON document")
    headers: Headers = Field({}, description="get: headers to send; secrets only by name")
    ca: AbsolutePath | None = Field(None, description="get: CA file in place of the system's")


class PresentShape(AskedShape):
    """How it is told which version runs: exactly one of `get`, `run` and `file`."""

    value: Expression | None = Field(
        None, description="get: JMESPath of the version, a text or a whole number"
    )
    file: AbsolutePath | None = Field(None, description="file whose one line is the version")


class ReleaseAnchorShape(PresentShape):
    """How it is told which version is restored: one of `get`, `run`, `file` and `version`."""

    version: Version | None = Field(None, description="the version itself, always the same")
    released_at: Expression | None = Field(
        None,
        description="get: JMESPath of the time from which on it was out (ms since epoch, ISO "
        "8601); left out, it is known since the watchdog first saw it",
    )
    margin: Duration = Field(
        600.0, description="how much before the first bad sample it must be known (10m)"
    )


class DeployableShape(AskedShape):
    """The proof that a version can still be deployed: exactly one of `run` and `get`."""

    expect: Expression | None = Field(None, description="get: JMESPath that must be true of it")


class DeployShape(Shape):
    """What deploys a version: exactly one of `run` and `call`."""

    run: Annotated[list[Argument], Field(min_length=1, max_length=100)] | None = Field(
        None, description="command as a list of arguments; there is no shell"
    )
    cwd: AbsolutePath | None = Field(None, description="run: folder to run in")
    env: list[EnvName] = Field([], description="run: names of the variables let through")
    call: CallShape | None = Field(None, description="HTTP call in place of a command")
    idempotent: bool = Field(
        default=False,
        description="whether another try may follow one of which nobody knows what came of it",
    )


class ReleaseActionShape(Shape):
    """Deploys the version before again: proven to be deployable, once, and read back.

    `${anchor.version}` is the version that is deployed, `${present.version}` the one that runs
    until then.
    """

    absent: ClassVar[dict[str, str]] = {
        "present": "Say how it is told which version runs, like present: {get: ADDRESS, value: "
        "build}.",
        "anchor": "Say which version is restored, like anchor: {get: ADDRESS, value: "
        "previous.version}.",
        "deployable": "Say what proves that it can still be deployed, like deployable: "
        '{run: [deployer, can-deploy, "${anchor.version}"]}.',
        "do": 'Say what deploys it, like do: {run: [deployer, deploy, "${anchor.version}"]}.',
        "read_back": "An action that nobody can verify is refused: say where its effect is served, "
        "like read_back: {get: ADDRESS, expect: \"build == '${anchor.version}'\"}.",
        "deadline": "Say by when the read-back must show it, like `deadline: 5m`.",
    }

    each: Each | None = Field(
        None,
        description="label to values: one action for each of them, as of a flag",
    )
    release: ServiceName = Field(
        description="the service whose version is changed: the target release:NAME"
    )
    present: PresentShape = Field(description="which version runs now")
    anchor: ReleaseAnchorShape = Field(description="which version is restored")
    deployable: DeployableShape = Field(
        description="the proof that `${anchor.version}` can still be deployed; asked all the time, "
        "and once more right before the effect"
    )
    do: DeployShape = Field(description="what deploys `${anchor.version}`")
    undo: DeployShape | None = Field(
        None,
        description="how a person deploys `${present.version}` again; left out, as `do`, with the "
        "two exchanged",
    )
    read_back: CheckShape = Field(
        description="where the effect is served, and what it must show of `${anchor.version}`; "
        "not the deployer's own answer"
    )
    contained_when: list[CheckShape] = Field([], description="checks that prove containment")
    resume_when: list[CheckShape] = Field([], description="checks that must hold before an undo")
    verification: Verification = VERIFICATION
    deadline: Duration = Field(description="total time until the read-back shows it")
    sla: Duration | None = Field(None, description="promised time; the deadline when left out")
    drilled_within: Duration | None = DRILLED_WITHIN
    host: HostName = Field("any", description="`any`, or the one host that executes it")
