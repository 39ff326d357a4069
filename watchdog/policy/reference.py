"""The rule language's reference, written from the models that judge the files.

`python -m watchdog.policy.reference > docs/rules.md` writes it; a test says when it is old.
"""

from __future__ import annotations

import sys
from typing import Any, get_args

from pydantic import BaseModel

from watchdog.policy import contacts_models as contacts
from watchdog.policy import event_models as events
from watchdog.policy import platform_models as platform
from watchdog.policy import releases_models as releases
from watchdog.policy import restoring_models as restoring
from watchdog.policy import rule_models as rules
from watchdog.policy import status_pages_models as status_pages
from watchdog.policy import unleash_models as unleash
from watchdog.policy.base import Shape
from watchdog.policy.drills import DrillShape
from watchdog.policy.examples import PLATFORM, RULES
from watchdog.policy.procedure import ProcedureShape

_INTRO = """\
# The rule language

<!-- Written from the code: `python -m watchdog.policy.reference > docs/rules.md`. -->

| file | holds |
|---|---|
| `platform.yaml` | `version`, `environment` or `environments`, `sources`, `events`, \
`actions`, `playbooks`, `grants`, `maintenance`, `limits`, `alertmanager`, \
`procedure`, `drills` |
| `contacts.yaml` | `version`, `channels`, `people`, `roles`, `on-call`, `audiences`, \
`escalation`, `zone`, `link`: who is told ([telling.md](telling.md)); `status-pages`: \
what the public sees ([status-page.md](status-page.md)); part of the platform's share |
| `messages/TOPIC.j2` | a message's text in place of ours |
| `OWNER/*.yaml` | `version` and that owner's `rules`; loaded, and kept last-good, by themselves |
| `vars/ENVIRONMENT.yaml` | variables: `{{ app }}` in any value is replaced by `app` |

Files are YAML 1.2 (`on`, `off`, `yes`, `no` are text) without tags, at most 128 Ki characters \
each. They belong to root or to the daemon's user, are not writable by everyone, and do not \
link out of the folder. Notes (`.md`, `.txt`) and files that begin with a dot are left alone; a \
`.yml` is refused, since it would not be read.

* Names: small letters, digits and hyphens, beginning with a letter. Rule names are one for all \
owners.
* Durations: `250ms`, `10s`, `5m`, `1h30m`, `30d`. Never 0: leave the key out.
* Ratios: `5%` or `0.05`. A bare `5` is refused as a slip.
* Bounds: `"> 5%"`, `"< 1"`, in quotes; not negative. `present`: an expression breaches while it \
returns anything (`a > 5 and b == 0`, `absent(a)`); returning nothing is healthy only where every \
selector that could have spoken matched something.
* Sizes: `512KiB`, `16MiB`.
* `environment: production` must equal the process's own. A folder that serves several writes \
`environments: [production, sandbox]`.
* A value that is one variable and nothing else keeps the variable's type. Settings of the \
process (`variables`) go before the file.
* `grants: {OWNER: [PLAYBOOK, ACTION]}`: an owner's rules may use granted playbooks, and of \
these reach granted actions only.

## Laws

A rule above `observe` names a `playbook`. An armed rule acts once it has earned \
it in shadow (docs/evidence.md), or at once where it says why (`armed_because`). \
Armed and not an slo, it needs `for` of at least three polls of its source; armed on a ratio, \
`minimum_events`; or `override: REASON` for both. \
An expression may not filter its own result, except under `breach_when: present`: the comparison \
is `breach_when`. A window holds at \
least two samples. An slo whose pair could never fire (budget x period / long x (1 - objective) \
at or above 1) is refused. Two playbooks may not want different states of one target. An action \
without `read_back` is refused.

Expressions on `scrape` and `json` sources are evaluated by the daemon, in a subset of PromQL that \
[promql.md](promql.md) lists; anything outside of it is refused by name. On a `prometheus` source \
all of PromQL may be used.

`each: [db]` makes a rule of every label set ([each.md](each.md)); an action's `each: {flag: \
[a, b]}` is unfolded into one action for each listed value, and only listed values ever reach \
a command.

## Expectations

`expect` and `given` are JMESPath over a JSON answer. Taken is what has a proven true or false: a \
field `==` or `!=` a value, numbers compared with `<` `<=` `>` `>=`, boolean fields, `!(x)`, `&&` \
and `||`. Text stands in single quotes; `true`, `false` and numbers in backquotes. One field that \
is missing, null or of another type, and the whole is unknown: an error document proves nothing. \
Of a list, `(flags[?name == 'a'] | [0].on)` is a field of the one element that is meant; where \
there is none, or more than one, it is unknown. `length(flags[?name == 'a'])` counts them. Where \
`given` is not true, it is an answer about something else, and whatever it says is unknown.

## Probes

`integrity: {manifest}`, `integrity: {attestation}` and `liveness: {http}`, `{tcp}`, `{command}` \
look by themselves: such a rule has no `source`, and its own `every` and `deadline`. A look proves \
that it holds, proves that it fails, or proves nothing; only a proven failure counts towards a \
breach (`fail: 3 of 5` of the last looks), and a look that proves nothing blinds the rule.

| probe | holds | fails | blind |
|---|---|---|---|
| `http` | `status`, or any 2xx; `expect` is true | no answer, 5xx, with `status` any other; \
`expect` is false | name, TLS, redirect; 401, 403, 407, 429; without `status` other 3xx and 4xx; \
`expect` is neither |
| `tcp` | accepted | refused, reset, silent, no route | name, no network of our own |
| `command` | exit status 0 | a status in `failing` | any other end, not started, not in time; \
status 0 with `inconclusive` printed |
| `manifest` | all files are as it says | changed, missing or, unless `extra: ignore`, not named | \
unreadable files; the manifest missing, empty, broken; limits, time |
| `attestation` | signed by one of `signers`, fresh, `min_collateralization` | the signature of \
one of `signers` does not fit; too old; too low | missing, unreadable, no attestation; another \
signer; a time ahead of our clock |

An owner's probe sends no credentials and passes no variables on. It runs only programs that the \
platform's file grants: `grants: {OWNER: [PLAYBOOK, run:check_disk]}`. A manifest is what \
`sha256sum` writes, beside the files that it names: at most 20 000 files and 1 GiB, regular files \
only, links only where they stay in its folder.

## Verification

An action's `verification: {NAME: CHECK}` names what is looked at once its effect, or that of \
its undo, was read back: `http`, `tcp`, `command`, `manifest` or `attestation`, as above, where \
*blind* means that it is not known. Each is looked at until it holds or its `within` is over, \
and recorded. What it says decides nothing ([verification.md](verification.md)). It stands in the \
platform's file, so it may send credentials that it names and let variables through; a command by \
which an action changes something is refused.

## Events

`event: {from: CHANNEL, match: {severity: critical}}` hears what others tell by a channel of the \
platform's `events`: an Alertmanager, known by its token, or anybody who signs ([events.md](\
events.md)). The rule is breached while an event stands that matches and that it has not dealt \
with; one event is a fact, so such a rule needs no `for`, has no `source`, and is never polled. \
Conditions are `TEXT`, `=~RE`, `!=TEXT` and `!~RE`, with PromQL's meaning: the whole label, and a \
label that is not there is empty. Without its credential a channel is deaf, and its rules are \
blind.

## Parts

A broken part keeps its last good text in force, loudly: the platform's by itself, each owner's \
by itself. A platform under which rules in force could no longer be loaded is refused.

The first start of a new installation takes the folder as it is. From then on saving a file arms \
nothing, and neither does a restart: `slo-watchdog apply` shows what would change, and loads it.
"""

_EXAMPLE = f"""
## A whole example

An action by an HTTP call, with the proof that it took effect, and an slo that may start it. The \
platform's file:

```yaml
{PLATFORM}```

The owner's file, in a folder of the owner's name:

```yaml
{RULES}```
"""

_SECTIONS: tuple[tuple[str, type[Shape]], ...] = (
    ("sources.NAME", platform.SourceShape),
    ("events.NAME", events.ChannelShape),
    ("actions.NAME, of a flag", platform.ActionShape),
    ("actions.NAME.read_back", platform.ReadBackShape),
    ("actions.NAME.do, .undo", platform.StepShape),
    ("actions.NAME.do.call", platform.CallShape),
    ("actions.NAME.contained_when[], .resume_when[], .ready_when[]", platform.CheckShape),
    ("actions.NAME.verification.NAME", platform.NamedCheckShape),
    ("actions.NAME, of a toggle in Unleash", unleash.UnleashActionShape),
    ("actions.NAME.unleash", unleash.ToggleShape),
    ("actions.NAME, of a configuration", restoring.ConfigActionShape),
    ("actions.NAME.config", restoring.TreeShape),
    ("actions.NAME.anchor", restoring.AnchorShape),
    ("actions.NAME.anchor.FACT", restoring.FactShape),
    ("actions.NAME.verify[]", restoring.RunShape),
    ("actions.NAME.publish", restoring.PublishShape),
    ("actions.NAME, of a system", restoring.SystemActionShape),
    ("actions.NAME.system", restoring.SystemShape),
    ("actions.NAME, of a release", releases.ReleaseActionShape),
    ("actions.NAME.present", releases.PresentShape),
    ("actions.NAME.anchor, of a release", releases.ReleaseAnchorShape),
    ("actions.NAME.deployable", releases.DeployableShape),
    ("actions.NAME.do, .undo, of a release", releases.DeployShape),
    ("headers.NAME, in place of a text", platform.SecretHeader),
    ("playbooks.NAME[]", platform.RungShape),
    ("playbooks.NAME[].attribute", platform.AttributeShape),
    ("maintenance.NAME", platform.WindowShape),
    ("maintenance.NAME.scope", platform.ScopeShape),
    ("limits", platform.LimitsShape),
    ("limits.budget", platform.BudgetShape),
    ("alertmanager", platform.AlertmanagerShape),
    ("procedure", ProcedureShape),
    ("drills.KIND", DrillShape),
    ("channels.NAME, of contacts.yaml", contacts.ContactChannelShape),
    ("channels.NAME.phases", contacts.PhasesShape),
    ("people.NAME", contacts.PersonShape),
    ("roles.NAME", contacts.RoleShape),
    ("on-call", contacts.OnCallShape),
    ("audiences.NAME", contacts.AudienceShape),
    ("escalation.SEVERITY", contacts.LadderShape),
    ("escalation.SEVERITY.steps[]", contacts.EscalationStepShape),
    ("status-pages.NAME", status_pages.StatusPageShape),
    ("status-pages.NAME.call", platform.CallShape),
    ("status-pages.NAME.components.NAME", status_pages.ComponentShape),
    ("rules.NAME", rules.RuleShape),
    ("rules.NAME.slo", rules.SloShape),
    ("rules.NAME.slo.burn[]", rules.BurnShape),
    ("rules.NAME.threshold", rules.ThresholdShape),
    ("rules.NAME.integrity", rules.IntegrityShape),
    ("rules.NAME.liveness", rules.LivenessShape),
    ("rules.NAME.event", events.EventShape),
    ("rules.NAME.on_blind", rules.BlindShape),
    ("rules.NAME.impact", rules.ImpactShape),
)


def reference() -> str:
    """The whole page."""
    return _INTRO + _EXAMPLE + "".join(_section(title, shape) for title, shape in _SECTIONS)


def _section(title: str, shape: type[Shape]) -> str:
    lines = ["", f"## `{title}`", ""]
    own = shape.__doc__
    if own and own != BaseModel.__doc__ and shape.__dict__.get("__doc__"):
        lines += [" ".join(own.split()), ""]
    lines += ["| key | | |", "|---|---|---|"]
    for name, info in shape.model_fields.items():
        choices = _choices(info.annotation)
        needed = "required" if info.is_required() else ""
        text = info.description or ""
        lines.append(f"| `{info.alias or name}` | {needed} | {text}{choices} |")
    if shape.later:
        words = ", ".join(f"`{word}`" for word in shape.later)
        lines += ["", f"Not in this version, and refused by name: {words}."]
    return "\n".join(lines) + "\n"


def _choices(annotation: Any) -> str:
    """Words that a key chooses from."""
    words = [arg for arg in get_args(annotation) if isinstance(arg, str)]
    return f" ({', '.join(words)})" if len(words) > 1 else ""


if __name__ == "__main__":
    sys.stdout.write(reference())
