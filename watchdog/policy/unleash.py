"""Toggles of Unleash in short: what the form stands for, in the words of any other action.

The laws: a toggle is switched by the admin API and read back by the client API, from what SDKs are
served; an answer counts only if it is for the environment and the project that are meant, whatever
token it was got with; and it is not ready unless the admin token says of itself that it may switch
that very toggle. Names are put into addresses percent-encoded.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlsplit

from watchdog.core.spec import ActionSpec, Check, Endpoint, Header, HttpCall, Step
from watchdog.policy.canon import sha256
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of
from watchdog.policy.steps import checks_of
from watchdog.policy.unleash_models import ToggleShape, UnleashActionShape

_PERMISSION = "UPDATE_FEATURE_ENVIRONMENT"
_ALL = "*"
"""In place of a project or an environment: every one of them. So is none at all."""


def unleash_action(entry: Entry, findings: Findings) -> ActionSpec | None:
    """The action that an entry with `unleash` makes, or None with its faults in `findings`."""
    shape = shape_of(UnleashActionShape, entry, findings)
    if shape is None:
        return None
    _check(entry, shape, findings)
    toggle = _Toggle(shape.unleash)
    do, undo = toggle.switched(on=shape.do == "on"), toggle.switched(on=shape.do == "off")
    spec = ActionSpec(
        name=entry.name,
        target=f"flag:{shape.unleash.feature}@{shape.unleash.environment}",
        read_back=toggle.read_back,
        do=do,
        undo=undo,
        contained_when=checks_of(entry, "contained_when", shape.contained_when, findings),
        resume_when=checks_of(entry, "resume_when", shape.resume_when, findings),
        deadline_seconds=shape.deadline,
        sla_seconds=shape.sla or shape.deadline,
        drilled_within_seconds=shape.drilled_within,
        host=shape.host,
        sha256="",
        ready_when=(
            *checks_of(entry, "ready_when", shape.ready_when, findings),  # first: known by place
            *toggle.ready_when,
        ),
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))


def _check(entry: Entry, shape: UnleashActionShape, findings: Findings) -> None:
    toggle = shape.unleash
    for word, url in (("url", toggle.url), ("served_by", toggle.served_by or "")):
        parts = urlsplit(url)
        if parts.query or parts.path.rstrip("/").endswith(("/api", "/api/admin", "/api/client")):
            findings.refuse(
                entry.at("unleash", word),
                "Unleash's own address is wanted, and not that of an API",
                "Write it without /api and without a query: https://unleash.example.org.",
            )
    if toggle.served_by is not None and toggle.client_token is None:
        findings.refuse(
            entry.key_at("unleash", "served_by"),
            "`served_by` without `client_token`: nobody is served without one",
            "Add a client token of that environment.",
        )
    if toggle.client_token == toggle.admin_token:
        findings.refuse(
            entry.at("unleash", "client_token"),
            "one token cannot be both: Unleash's admin API refuses client tokens",
            "Make two, and name two credentials.",
        )
    if toggle.client_token is None:
        findings.advise(
            entry.key_at("unleash"),
            f"{entry.name} has no client_token: what Unleash has stored is read back, and not what "
            "it serves",
            "Add a client token of that environment, as an SDK has it.",
        )
    if not shape.contained_when:
        findings.advise(
            entry.key,
            f"{entry.name} has no contained_when",
            "Without it only a healthy rule can prove containment, and a pause may blind it.",
        )


class _Toggle:
    """Its addresses and what they show."""

    def __init__(self, shape: ToggleShape) -> None:
        self._shape = shape
        base = shape.url.rstrip("/")
        served_by = (shape.served_by or shape.url).rstrip("/")
        project, feature = quote(shape.project, safe=""), quote(shape.feature, safe="")
        self._stored = f"{base}/api/admin/projects/{project}/features/{feature}"
        self._served = f"{served_by}/api/client/features?namePrefix={feature}"
        self._whoami = f"{base}/api/admin/user"

    def switched(self, *, on: bool) -> Step:
        environment = quote(self._shape.environment, safe="")
        url = f"{self._stored}/environments/{environment}/{'on' if on else 'off'}"
        word = "true" if on else "false"
        return Step(HttpCall("POST", self._by_admin(url)), f"{self._enabled} == `{word}`")

    @property
    def read_back(self) -> Endpoint:
        shape = self._shape
        if shape.client_token is None:
            given = f"name == '{shape.feature}' && project == '{shape.project}'"
            return self._by_admin(self._stored, f"{given} && archived == `false`")
        mine = f"query.environment == '{shape.environment}'"
        project = f"({self._one}.project) == '{shape.project}'"
        return _endpoint(self._served, shape.client_token, shape.ca, f"{mine} && {project}")

    @property
    def ready_when(self) -> tuple[Check, ...]:
        shape = self._shape
        there = (
            f"project == '{shape.project}' && archived == `false` "
            f"&& length(environments[?name == '{shape.environment}']) == `1`"
        )
        return (
            Check(self._by_admin(self._stored), there),
            Check(self._by_admin(self._whoami), self._may_switch),
        )

    @property
    def _one(self) -> str:
        return f"features[?name == '{self._shape.feature}'] | [0]"

    @property
    def _enabled(self) -> str:
        if self._shape.client_token is not None:
            return f"({self._one}.enabled)"
        return f"(environments[?name == '{self._shape.environment}'] | [0].enabled)"

    @property
    def _may_switch(self) -> str:
        project = _any_of("project", self._shape.project)
        environment = _any_of("environment", self._shape.environment)
        switches = f"permission == '{_PERMISSION}' && {project} && {environment}"
        return f"length(permissions[?permission == 'ADMIN' || ({switches})]) >= `1`"

    def _by_admin(self, url: str, given: str = "") -> Endpoint:
        return _endpoint(url, self._shape.admin_token, self._shape.ca, given)


def _any_of(field: str, name: str) -> str:
    """A permission is for what it names, or for all."""
    return f"({field} == '{name}' || {field} == '{_ALL}' || {field} == `null`)"


def _endpoint(url: str, token: str, ca: str | None, given: str = "") -> Endpoint:
    return Endpoint(url, (Header("Authorization", "", token),), ca, given)
