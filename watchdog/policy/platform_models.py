"""The platform file's shapes: sources, actions, playbooks, maintenance, limits.

They hold form only; laws that need the rest of the policy are in `platform.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from watchdog.core.deploys import DEPLOY_MAX_SECONDS
from watchdog.policy.base import Shape
from watchdog.policy.drills import DRILLED_WITHIN
from watchdog.policy.probe_models import AnsweringShape, SoundShape
from watchdog.policy.scalars import (
    AbsolutePath,
    Address,
    Duration,
    Expression,
    Name,
    Size,
    Words,
    matching,
    refused,
    shown,
)
from watchdog.policy.unfolding import VALUE

HeaderName = Annotated[
    str, matching(r"[A-Za-z0-9-]{1,64}", "header name", "Letters, digits and hyphens only.")
]
EnvName = Annotated[
    str, matching(r"[A-Za-z_][A-Za-z0-9_]{0,63}", "variable name", "Write it like HOME.")
]
SampleName = Annotated[
    str,
    matching(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}", "sample name", "Write it like por_age_minutes."),
]
FlagName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "flag name", "Write it like my_flag.")
]
LabelName = Annotated[
    str, matching(r"[a-zA-Z][a-zA-Z0-9_]{0,99}", "label name", "Write it like team.")
]
EachValue = Annotated[str, matching(VALUE, "value", "Letters, digits, `_`, `.` and `-`.")]
Each = dict[LabelName, Annotated[list[EachValue], Field(min_length=1, max_length=100)]]
"""Labels to values: what stands there is an action for each of them."""
HostName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", "host name", "Write a host's name, or any.")
]
Argument = Annotated[
    str, matching(r"[^\x00]{1,4096}", "argument", "It may be neither empty nor hold a zero byte.")
]


class SecretHeader(Shape):
    """A header whose text is `prefix` and then the named credential."""

    secret: Name = Field(description="name of the credential, read anew for each request")
    prefix: Annotated[
        str, matching(r"[\x20-\x7e]{0,100}", "prefix", "Printable characters only.")
    ] = Field("", description='text before it, like "Bearer "')


PlainHeader = Annotated[
    str, matching(r"[\x20-\x7e]{0,1000}", "header text", "Printable characters only.")
]


def header(value: Any) -> Any:
    """Either plain text or `{secret: NAME, prefix: TEXT}`."""
    if isinstance(value, str | dict):
        return value
    raise refused(f"{shown(value)} is no header", "Quote the text, or write {secret: NAME}.")


HeaderValue = Annotated[Any, BeforeValidator(header)]
Headers = dict[HeaderName, HeaderValue]


class SourceShape(Shape):
    """Where samples come from: exactly one of `scrape`, `prometheus` and `json`."""

    later: ClassVar[dict[str, str]] = {
        "command": "a command as a source",
        "identity": "asserted identity labels",
    }
    absent: ClassVar[dict[str, str]] = {"every": "Say how often it is read, like `every: 5s`."}

    scrape: Address | None = Field(None, description="a /metrics address, read directly")
    prometheus: Address | None = Field(
        None, description="base address of a Prometheus-compatible API"
    )
    json_: Address | None = Field(None, alias="json", description="address of a JSON document")
    every: Duration = Field(description="how often it is read")
    deadline: Duration | None = Field(
        None,
        description="total time for one read; `every`, at most 10s, and below 1s up to 1.8 of it",
    )
    scraped_every: Duration | None = Field(
        None, description="prometheus: how often it scrapes by itself; as `every` when left out"
    )
    timestamp: Expression | None = Field(
        None, description="json: JMESPath of the document's own time (ms since epoch, ISO 8601)"
    )
    samples: dict[SampleName, Expression] | None = Field(
        None, description="json: sample name to JMESPath"
    )
    headers: Headers = Field({}, description="headers to send; secrets only by name")
    ca: AbsolutePath | None = Field(None, description="CA file in place of the system's")
    max_bytes: Size = Field(16 * 1024 * 1024, description="largest answer that is read (16MiB)")
    max_series: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="most series kept of one read"
    )


class ReadBackShape(Shape):
    """Where the effective state is served."""

    get: Address = Field(description="address that is asked")
    headers: Headers = Field({}, description="headers to send")
    ca: AbsolutePath | None = Field(None, description="CA file in place of the system's")
    given: Expression | None = Field(
        None,
        description="JMESPath that must be true of the answer, or nothing in it counts: it is not "
        "the document that is meant",
    )


class CheckShape(ReadBackShape):
    """A question with the answer that is expected."""

    expect: Expression = Field(description="JMESPath that must be true of the answer")


class CallShape(Shape):
    """An HTTP call that changes something."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field(description="HTTP method")
    url: Address = Field(description="address that is called")
    headers: Headers = Field({}, description="headers to send")
    json_: Any = Field(None, alias="json", description="body, sent as JSON")
    ca: AbsolutePath | None = Field(None, description="CA file in place of the system's")


class StepShape(Shape):
    """One way of changing the target: exactly one of `run` and `call`."""

    later: ClassVar[dict[str, str]] = {"idempotent": "a declared idempotence"}
    absent: ClassVar[dict[str, str]] = {
        "expect": "Say which state it leads to, as the read-back shows it: "
        'expect: "enabled == `false`".'
    }

    run: Annotated[list[Argument], Field(min_length=1, max_length=100)] | None = Field(
        None, description="command as a list of arguments; there is no shell"
    )
    cwd: AbsolutePath | None = Field(None, description="run: folder to run in")
    env: list[EnvName] = Field([], description="run: names of the variables let through")
    call: CallShape | None = Field(None, description="HTTP call in place of a command")
    expect: Expression = Field(description="JMESPath of the wanted state on the read-back")


class NamedCheckShape(AnsweringShape, SoundShape):
    """One thing to look at after the effect was read back: exactly one of `http`, `tcp`, `command`,
    `manifest` and `attestation`. It decides nothing (docs/verification.md).
    """

    headers: Headers = Field({}, description="http, attestation: headers to send")
    env: list[EnvName] = Field([], description="command: names of the variables let through")
    after: Annotated[list[Literal["do", "undo"]], Field(min_length=1, max_length=2)] = Field(
        ["do", "undo"], description="what it is looked at after; both when left out"
    )
    deadline: Duration = Field(30.0, description="total time of one look (30s); at most 5m")
    within: Duration = Field(
        60.0, description="how long it is looked at again until it holds (1m); at most 1h"
    )
    page: bool = Field(
        default=False, description="whether its failure calls somebody at once; else it is told"
    )
    says: Words = Field("", description="what it is for, as people are told it")


Verification = dict[Name, NamedCheckShape]
VERIFICATION: Any = Field(
    {}, description="checks by name, looked at after the read-back and recorded; decide nothing"
)


class ActionShape(Shape):
    """Switches a flag: one way to roll back, as a desired state of one target."""

    absent: ClassVar[dict[str, str]] = {
        "read_back": "An action that nobody can verify is refused: say where its effect is "
        "served, like read_back: {get: ADDRESS}.",
        "do": "Say how it is done: do: {run: [...], expect: ...}.",
        "flag": "Name the flag that it changes.",
        "deadline": "Say by when the read-back must show it, like `deadline: 10s`.",
    }

    each: Each | None = Field(
        None,
        description="label to values: one action for each of them, written with `{{ label }}`; for "
        "rules with the same label in their `each`, which choose by it",
    )
    flag: FlagName = Field(description="the feature flag that is changed: the target")
    read_back: ReadBackShape = Field(description="where the flag's effective state is served")
    do: StepShape = Field(description="how it is done")
    undo: StepShape | None = Field(None, description="how a person undoes it")
    contained_when: list[CheckShape] = Field([], description="checks that prove containment")
    resume_when: list[CheckShape] = Field([], description="checks that must hold before an undo")
    ready_when: list[CheckShape] = Field(
        [], description="checks that must hold for it to be ready, looked at all the time"
    )
    verification: Verification = VERIFICATION
    deadline: Duration = Field(description="total time until the read-back shows it")
    sla: Duration | None = Field(None, description="promised time; the deadline when left out")
    drilled_within: Duration | None = DRILLED_WITHIN
    host: HostName = Field("any", description="`any`, or the one host that executes it")


class AttributeShape(Shape):
    """What a breach must be attributed to before a rung may act: `{within: 1h}`."""

    absent: ClassVar[dict[str, str]] = {
        "within": "Say how far back a deploy may lie, like `within: 1h`."
    }

    within: Duration = Field(description="how long before the first bad sample it may have ended")


class RungShape(Shape):
    """One step of a playbook's ladder."""

    absent: ClassVar[dict[str, str]] = {
        "mode": "Say how far it may go: observe, shadow, approve or armed."
    }

    action: Name = Field(description="the action")
    mode: Literal["observe", "shadow", "approve", "armed"] = Field(
        description="how far this rung may go"
    )
    within: Duration = Field(
        300.0, description="how long after the effect it must have helped (5m)"
    )
    approvals: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None,
        description="approve: how many people must say yes; 1, and 2 for a system restore",
    )
    approve_within: Duration = Field(
        3600.0, description="approve: how long they are asked, before a person must look (1h)"
    )
    attribute: AttributeShape | None = Field(
        None, description="only where a deploy of its target may have led to the breach"
    )


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ScopeShape(Shape):
    """What a window covers: exactly one of these."""

    owner: Name | None = Field(None, description="all rules of one owner")
    rule: Name | None = Field(None, description="one rule")
    target: (
        Annotated[
            str,
            matching(
                r"flag:[A-Za-z0-9_.~!*()@-]{1,201}|release:[A-Za-z0-9][A-Za-z0-9_.-]{0,99}|"
                r"(?:config|system):/[^\x00-\x1f\x7f]{0,500}",
                "target",
                "Write it like flag:NAME, release:NAME or config:/PATH.",
            ),
        ]
        | None
    ) = Field(None, description="one target, like flag:my_flag")


class WindowShape(Shape):
    """A weekly maintenance window: nothing starts by itself inside it."""

    scope: Literal["all"] | ScopeShape = Field(description="`all`, or {owner|rule|target: X}")
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = Field(
        description="days on which it begins"
    )
    from_: str = Field(alias="from", description='local time it begins, in quotes: "02:00"')
    to: str = Field(description="local time it ends; at or before `from` means the next day")
    zone: str = Field(description="IANA time zone, like Europe/Zurich")
    reason: Words = Field(description="why, as shown beside every refusal")


class BudgetShape(Shape):
    actions: Annotated[int, Field(ge=1, le=1000)] = Field(description="automatic actions")
    per: Duration = Field(description="in this time")


class AlertmanagerShape(Shape):
    """An Alertmanager beside us: its silences stop starts, and it is told of episodes."""

    absent: ClassVar[dict[str, str]] = {"url": "Say where it is: url: http://HOST:9093."}

    url: Address | Annotated[list[Address], Field(min_length=1, max_length=8)] = Field(
        description="base address, or a list of those of all replicas of one cluster"
    )
    silences: bool = Field(default=True, description="whether its silences stop starts and pages")
    alerts: bool = Field(
        default=True, description="whether it is told of episodes and of blindness"
    )
    every: Duration = Field(10.0, description="how often its silences are read (10s)")
    deadline: Duration | None = Field(
        None, description="total time for one question; `every`, at most 5s"
    )
    again: Duration = Field(
        60.0, description="how often what is open is told again; it expires after three of these"
    )
    link: Address | None = Field(
        None, description="where people find our own pages: alerts link to them"
    )
    page_after: Duration = Field(
        300.0, description="how long it may fail before people are told (5m)"
    )
    headers: Headers = Field({}, description="headers to send; secrets only by name")
    ca: AbsolutePath | None = Field(None, description="CA file in place of the system's")
    max_bytes: Size = Field(4 * 1024 * 1024, description="largest answer that is read (4MiB)")


class LimitsShape(Shape):
    """Limits over everything that happens by itself."""

    budget: BudgetShape | None = Field(None, description="4 in 24h when left out")
    blast_radius: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="most distinct targets that may breach within a minute"
    )
    deploy_max: Duration = Field(
        DEPLOY_MAX_SECONDS,
        description="how long a deploy may keep the actions of its target back (30m)",
    )
