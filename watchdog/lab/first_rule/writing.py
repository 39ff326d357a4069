"""The files of a first shadow rule: platform, rule, unit test, settings.

Whatever came from the provider goes through `promql.quoted`, so that it is a text there and
nothing else. All that is written is loaded, checked and tested before anything is put on disk.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from watchdog.core.text import duration, number, percent
from watchdog.lab.first_rule.action import Action
from watchdog.lab.first_rule.choosing import HOUR, Candidate, Choice, Form, Numbers
from watchdog.lab.first_rule.promql import Condition, quoted, selector
from watchdog.policy.importers.writing import kebab, scalar
from watchdog.policy.laws import seconds_text

SOURCE = "prometheus"
PLAYBOOK = "first-steps"
RULES_FILE = "rules.yaml"
_PER_POLL = 100  # events between two samples in the unit test


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, and under which names."""

    choice: Choice
    action: Action
    prometheus: str
    environment: str
    owner: str
    rule: str
    every_seconds: float
    secret: str | None = None  # a credential's name, for the Prometheus

    @property
    def one(self) -> Candidate:
        return self.choice.taken


def default_name(one: Candidate) -> str:
    """`mycelia-errors`, of the job where it has one."""
    what = {Form.RATIO: "errors", Form.LATENCY: "latency", Form.UP: "down"}[one.form]
    return kebab(f"{one.job[:40] or one.metric[:40]}-{what}")


def default_owner(one: Candidate) -> str:
    """`mycelia-team`: a folder's name that nothing else has."""
    return kebab(f"{one.job[:40] or 'first'}-team")


def rules_files(plan: Plan) -> dict[str, str]:
    """By their path in the rules folder."""
    return {
        "platform.yaml": _platform(plan),
        f"{plan.owner}/{RULES_FILE}": _rules(plan),
        f"{plan.owner}/{plan.rule}.test.yaml": _test(plan),
    }


def _platform(plan: Plan) -> str:
    every = seconds_text(plan.every_seconds)
    return f"""\
# Where measurements come from, what can be rolled back, and who may use it: docs/rules.md.
# A first version, written by `slo-watchdog new`. Everything in it is in shadow: the rule and the
# playbook's rung each say so, and both must be raised before anything is ever done.
version: 1
environment: {scalar(plan.environment)}

sources:
  {SOURCE}:
    prometheus: {json.dumps(plan.prometheus)}
{_headers(plan)}    every: {every}
    scraped_every: {every}                 # how often it looks at {_comment(plan.one.job)}

actions:
{plan.action.text}
playbooks:
  {PLAYBOOK}:
    - {{action: {plan.action.name}, mode: shadow, within: 5m}}

grants:
  {scalar(plan.owner)}: [{PLAYBOOK}, {plan.action.name}]

limits:
  budget: {{actions: 4, per: 24h}}       # all automatic actions together
  blast_radius: 5                      # more targets than this within a minute: suspect the source
"""


def _headers(plan: Plan) -> str:
    if plan.secret is None:
        return ""
    token = f'{{Authorization: {{secret: {scalar(plan.secret)}, prefix: "Bearer "}}}}'
    return f"    headers: {token}\n"


def _comment(job: str) -> str:
    return quoted(job) if job else "it"


def _rules(plan: Plan) -> str:
    one, numbers = plan.one, plan.choice.numbers
    head = f"""\
# One rule to start from, written by `slo-watchdog new`. In shadow it decides as if it might act,
# records that, and does nothing. `slo-watchdog explain {plan.rule}` tells what it will see.
version: 1
rules:
  # {one.metric}: {_why(one, numbers)}
  {scalar(plan.rule)}:
    severity: P2
    summary: {_summary(one, numbers)}
    runbook: "slo-watchdog why {plan.rule} tells what was seen; write here what a person does then."
    source: {SOURCE}
"""
    if numbers is None:
        every = seconds_text(3 * plan.every_seconds)
        signal = f"""\
    liveness: {{up: {scalar(one.all_events)}}}
    for: {every}                           # three samples in a row
"""
    else:
        word = "good" if one.form is Form.LATENCY else "bad"
        over = seconds_text(numbers.over_seconds)
        signal = f"""\
    threshold:
      {word}: {scalar(one.some_events)}
      total: {scalar(one.all_events)}
      over: {over}
      breach_when: "> {percent(numbers.limit)}"{_usual(one)}
    minimum_events: {numbers.minimum_events}                 # {_events(one, numbers)}
    for: {seconds_text(numbers.for_seconds)}                           # three samples in a row
"""
    return f"{head}{signal}    playbook: {PLAYBOOK}\n    mode: shadow\n"


def _why(one: Candidate, numbers: Numbers | None) -> str:
    if numbers is None:
        return _plain(one.why)
    seen = duration(one.rated_seconds)
    return f"{_plain(one.why)}; {number(one.rate)} events a second over the last {seen}"


def _plain(text: str) -> str:
    """As it may stand in a comment: one line of printable ASCII, without our braces."""
    return quoted(text)[1:-1]


def _summary(one: Candidate, numbers: Numbers | None) -> str:
    if numbers is None:
        return "A target does not answer."
    limit = percent(numbers.limit)
    if one.form is Form.LATENCY:
        return f"More than {limit} of what {one.metric} counts is slow."
    return f"More than {limit} of what {one.metric} counts fails."


def _usual(one: Candidate) -> str:
    said = "none were bad" if one.usual == 0 else f"{percent(one.usual)} were bad"
    when = "now" if one.form is Form.LATENCY else _last_hour(one)
    return f"            # {said} {when}"


def _last_hour(one: Candidate) -> str:
    """What of it is known."""
    return (
        "in the last hour"
        if one.known_seconds >= HOUR
        else (f"in the last {duration(one.known_seconds)}, which is all that is known")
    )


def _events(one: Candidate, numbers: Numbers) -> str:
    usual, over = number(numbers.usual_events), duration(numbers.over_seconds)
    seen = duration(one.rated_seconds)
    return f"fewer prove nothing; {usual} in {over}, going by the last {seen}"


# -- the unit test ---------------------------------------------------------------------------------


def _test(plan: Plan) -> str:
    every = plan.every_seconds
    cases = _down(plan) if plan.choice.numbers is None else _ratio(plan, plan.choice.numbers)
    return f"""\
# {plan.rule}: what it should make of trouble, and of too little traffic to tell.
# Run with `slo-watchdog test`; the words: docs/testing-rules.md.
rule_files: [{RULES_FILE}]
environment: {scalar(plan.environment)}

tests:
{cases.replace("INTERVAL", seconds_text(every))}"""


def _ratio(plan: Plan, numbers: Numbers) -> str:
    every = plan.every_seconds
    window = math.ceil(numbers.over_seconds / every)
    calm = window + 8  # it may act only once it was healthy with its whole window seen
    bad = math.ceil(2 * numbers.limit * window) + math.ceil(numbers.for_seconds / every) + 8
    few = max(1, min(numbers.minimum_events // 4, window - 1))
    name, action = scalar(plan.rule), plan.action.name
    calm_at, end_at = seconds_text(calm * every), seconds_text((calm + bad) * every)
    little_at = seconds_text((few + 4) * every)
    return f"""\
  - name: everything fails after a calm while, and it would act once
    interval: INTERVAL
    input_series:
{_series(plan.one, calm, bad)}    rule_test:
      - {{eval_time: {calm_at}, rule: {name}, exp_verdict: healthy, exp_state: ok}}
      - {{eval_time: {end_at}, rule: {name}, exp_verdict: breached, exp_state: shadowed}}
    action_test:
      - eval_time: {end_at}
        rule: {name}
        exp_actions: [{{action: {action}, ruling: would_act}}]

  - name: a handful of events prove nothing, however many of them fail
    interval: INTERVAL
    input_series:
{_series(plan.one, 4, few, each=1)}    rule_test:
      - {{eval_time: {little_at}, rule: {name}, exp_blind: too_few_events, exp_state: ok}}
    action_test:
      - {{eval_time: {little_at}, rule: {name}, exp_actions: []}}
"""


def _series(one: Candidate, calm: int, bad: int, each: int = _PER_POLL) -> str:
    """Samples of good events, and then of bad ones; `each` of them between two."""
    good_stops = f"0+{each}x{calm} {each * calm}x{bad}"
    bad_comes = f"0x{calm} {each}+{each}x{bad}"
    total_goes = f"0+{each}x{calm + bad + 1}"
    if one.form is Form.LATENCY:
        rows = [(one.some_events, good_stops), (one.all_events, total_goes)]
    elif one.counted:
        label, good, failed = one.told
        rows = [
            (_labelled(one, label, good), good_stops),
            (_labelled(one, label, failed), bad_comes),
        ]
    else:
        rows = [(one.all_events, total_goes), (one.some_events, bad_comes)]
    return "".join(f"      - {{series: {scalar(s)}, values: {values}}}\n" for s, values in rows)


def _labelled(one: Candidate, label: str, value: str) -> str:
    more: Condition = (label, "=", value)
    return selector(one.metric, (*one.scope, more))


def _down(plan: Plan) -> str:
    target: Condition = ("instance", "=", "a-target")
    series = scalar(selector("up", (*plan.one.scope, target)))
    end_at = seconds_text(30 * plan.every_seconds)
    calm_at = seconds_text(10 * plan.every_seconds)
    name, action = scalar(plan.rule), plan.action.name
    return f"""\
  - name: a target stops answering, and it would act once
    interval: INTERVAL
    input_series:
      - {{series: {series}, values: 1x20 0x20}}
    rule_test:
      - {{eval_time: {calm_at}, rule: {name}, exp_verdict: healthy, exp_state: ok}}
      - {{eval_time: {end_at}, rule: {name}, exp_verdict: breached, exp_state: shadowed}}
    action_test:
      - eval_time: {end_at}
        rule: {name}
        exp_actions: [{{action: {action}, ruling: would_act}}]
"""


# -- the process -----------------------------------------------------------------------------------


def settings_text(environment: str, rules: str, secrets: str | None) -> str:
    """watchdog.toml, beside the rules folder; paths are taken from there."""
    folder = f"secrets_dir = {json.dumps(secrets)}   # one file a secret, for its owner alone\n"
    more = folder if secrets is not None else ""
    return f"""\
# Settings of the process, written by `slo-watchdog new`: docs/settings.md.
environment = {json.dumps(environment)}
max_mode = "shadow"              # whatever the rules say, nothing is ever done
rules_dir = {json.dumps(rules)}
state_dir = "state"
control_socket = "control.sock"
{more}time_sync = "ignore"             # remove it before you raise max_mode
root_is_person = true            # for trying it as root; remove it on a host
"""
