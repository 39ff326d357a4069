"""Does a test file make sense? What names something that does not exist must not pass for that.

A test of a misspelt alert that expects nothing would always pass; so would an action of a rule
that cannot act. Everything that is named is looked up before anything runs.
"""

from __future__ import annotations

from collections.abc import Collection

from watchdog.core.alerting import alert_name
from watchdog.core.channels import Channel, EventSignal
from watchdog.core.deploys import ALL
from watchdog.core.impact import impact_queries
from watchdog.core.judge import queries
from watchdog.core.naming import family_of, labelled
from watchdog.core.probes import PROBES
from watchdog.core.promql import Refused, check
from watchdog.core.spec import JsonDocument, PrometheusApi, RuleSpec, Scrape
from watchdog.core.words import Status
from watchdog.lab.rule_tests.loaded import why_not
from watchdog.lab.rule_tests.notation import BadNotation, series_of
from watchdog.lab.rule_tests.poll import called
from watchdog.lab.rule_tests.shapes import RuleTestShape
from watchdog.lab.rule_tests.suite import Case, Suite
from watchdog.lab.rule_tests.under_test import Ours
from watchdog.policy.nodes import Place
from watchdog.policy.problem import Findings
from watchdog.policy.shape import closest
from watchdog.sources.selectors import names_in

MAX_STEPS = 3_000_000
"""Passes, polls and samples of one case; more would look like a test that hangs."""

_OURS = (
    *("rule_test", "episode_test", "action_test", "page_test"),
    *("sources", "events", "holds", "deploys", "approvals", "supposing"),
)


def check_sense(suite: Suite, findings: Findings) -> None:
    """What is wrong with a file that has the right form."""
    for case in suite.cases:
        _size(suite, case, findings)
        _promtool(suite, case, findings)
        ours = suite.rules.ours
        if ours is None:
            _only_promtool(case, findings)
        else:
            _rules(case, ours, findings)
            _surroundings(case, ours, findings)
            _unread(suite, case, ours, findings)
            _holds(case, ours, findings)
            _deploys(case, ours, findings)
            _answers(case, ours, findings)
            _events(case, ours, findings)


def _size(suite: Suite, case: Case, findings: Findings) -> None:
    until, shape = case.until, case.shape
    every = [suite.shape.evaluation_interval]
    if suite.rules.ours is not None:
        every += [1.0, *(spec.every_seconds for spec in suite.rules.ours.policy.sources.values())]
    steps = sum(until / one for one in every)
    steps += sum(min(len(one.values), until / case.interval_seconds) for one in case.series)
    if steps > MAX_STEPS:
        findings.refuse(
            case.at(),
            f"the test has {steps:.0f} steps; {MAX_STEPS} are the most",
            "Lengthen the intervals, or ask about an earlier time.",
        )
    tests = [*shape.alert_rule_test, *shape.promql_expr_test, *shape.rule_test]
    if not (tests or shape.episode_test or shape.action_test or shape.page_test):
        what = f"{case.title} tests nothing"
        findings.advise(case.at(), what, "Add an alert_rule_test, or one of the others.")


def _promtool(suite: Suite, case: Case, findings: Findings) -> None:
    ours = suite.rules.ours.policy.rules if suite.rules.ours is not None else {}
    alerts = {alert_name(rule) for rule in ours.values()}
    for index, test in enumerate(case.shape.alert_rule_test):
        place = case.at("alert_rule_test", index, "alertname")
        if not test.alertname:
            findings.refuse(place, "an alert_rule_test without alertname", "Name the alert.")
        elif test.alertname not in suite.rules.alerts and test.alertname not in alerts:
            rule = ours.get(test.alertname)
            what = f"there is no alert {test.alertname} in rule_files"
            how = closest(test.alertname, {*suite.rules.alerts, *alerts})
            if rule is not None:
                how = f"The alert of the rule {rule.name} is named {alert_name(rule)}: write that."
            (findings.refuse if ours else findings.advise)(place, what, how)
    for index, asked in enumerate(case.shape.promql_expr_test):
        try:
            check(asked.expr)
        except Refused as error:
            place = case.at("promql_expr_test", index, "expr")
            findings.refuse(place, *why_not(error))
        for number, sample in enumerate(asked.exp_samples):
            try:
                series_of(sample.labels)
            except BadNotation as bad:
                place = case.at("promql_expr_test", index, "exp_samples", number, "labels")
                findings.refuse(place, bad.what, bad.remedy)


def _only_promtool(case: Case, findings: Findings) -> None:
    """Our words need rules of ours."""
    for word in _OURS:
        if getattr(case.shape, word):
            what = f"`{word}` is about our own rules, and rule_files names none"
            findings.refuse(case.entry.key_at(word), what, "Name the rules folder there.")


def _rules(case: Case, ours: Ours, findings: Findings) -> None:
    shape = case.shape
    for word in ("rule_test", "episode_test", "action_test", "page_test"):
        for index, test in enumerate(getattr(shape, word)):
            _rule(case, (word, index, "rule"), test.rule, ours, findings)
    for index, alert in enumerate(shape.alert_rule_test):
        for rule in ours.rules_of_alert(alert.alertname):
            _rule(case, ("alert_rule_test", index, "alertname"), rule, ours, findings)
    for index, test in enumerate(shape.rule_test):
        _rule_test(case.at("rule_test", index), test, findings)
    _actions(case, ours, findings)


def _rule_test(place: Place, test: RuleTestShape, findings: Findings) -> None:
    said = (test.exp_verdict, test.exp_blind, test.exp_reason, test.exp_state, test.exp_refused)
    if all(one is None for one in said):
        how = "Write exp_verdict, exp_blind, exp_reason, exp_state or exp_refused."
        findings.refuse(place, "a rule_test that expects nothing", how)
    if test.exp_blind is not None and test.exp_verdict not in {None, Status.BLIND}:
        what = f"blind ({test.exp_blind.value}) and {test.exp_verdict} at once"
        findings.refuse(place, what, "Keep one of the two.")


def _actions(case: Case, ours: Ours, findings: Findings) -> None:
    for index, test in enumerate(case.shape.action_test):
        for number, action in enumerate(test.exp_actions):
            path = ("action_test", index, "exp_actions", number)
            if action.rule is None and test.rule is None:
                findings.refuse(case.at(*path), "an action without its rule", "Name it: rule: X.")
            _rule(case, (*path, "rule"), action.rule, ours, findings)
            _known(case, (*path, "action"), action.action, ours.policy.actions, "action", findings)


def _rule(
    case: Case,
    path: tuple[str | int, ...],
    name: str | None,
    ours: Ours,
    findings: Findings,
) -> None:
    """A rule that exists, and can be judged here together with those that it leans on."""
    if name is None:
        return
    rule = ours.policy.rule(name)
    if rule is None:
        _no_rule(case.at(*path), name, ours, findings)
    elif rule.is_family and path[0] in {"episode_test", "rule_test"}:
        _only_members(case, path, rule, findings)
    for one in (family_of(name), *(rule.corroborate if rule is not None else ())):
        if one in ours.unasked:
            what = f"{one} asks its Prometheus what is not answered here: {ours.unasked[one]}"
            findings.refuse(case.at(*path), what, "Test the others.")


def _no_rule(place: Place, name: str, ours: Ours, findings: Findings) -> None:
    family = ours.policy.rules.get(family_of(name))
    how = closest(name, ours.policy.rules)
    if family is not None and family.is_family:
        how = f"Write {_member_of(family)}."
    findings.refuse(place, f"there is no rule {name}", how)


def _member_of(family: RuleSpec) -> str:
    """How a member is written, with words in capitals in the values' places."""
    return "'" + labelled(family.name, tuple((label, label.upper()) for label in family.each)) + "'"


def _only_members(
    case: Case, path: tuple[str | int, ...], family: RuleSpec, findings: Findings
) -> None:
    """A family has a verdict, and its episodes are its members'."""
    asked = case.shape.rule_test[int(path[1])] if path[0] == "rule_test" else None
    if asked is None or asked.exp_state is not None or asked.exp_refused is not None:
        what = f"{family.name} has no episode itself; each of its members has one"
        findings.refuse(case.at(*path), what, f"Write {_member_of(family)}.")


def _known(
    case: Case,
    path: tuple[str | int, ...],
    name: str,
    known: Collection[str],
    kind: str,
    findings: Findings,
) -> None:
    if name not in known:
        findings.refuse(case.at(*path), f"there is no {kind} {name}", closest(name, known))


def _surroundings(case: Case, ours: Ours, findings: Findings) -> None:
    shape, sources = case.shape, {called(spec): spec for spec in ours.policy.sources.values()}
    for index, series in enumerate(shape.input_series):
        if series.source is not None:
            path: tuple[str | int, ...] = ("input_series", index, "source")
            _known(case, path, series.source, sources, "source", findings)
            _showable(case, index, ours, findings)
    for index, stretch in enumerate(shape.sources):
        _known(case, ("sources", index, "source"), stretch.source, sources, "source", findings)
        spec = sources.get(stretch.source)
        can = _CAN[type(spec.how)] if spec is not None else ()
        if spec is not None and stretch.is_ not in can:
            what = f"{stretch.source} cannot be {stretch.is_}"
            findings.refuse(case.at("sources", index, "is"), what, f"Write {' or '.join(can)}.")
        _ends(case, ("sources", index, "to"), stretch.from_, stretch.to, findings)
    if shape.supposing is not None:
        for name, one in shape.supposing.actions.items():
            path = ("supposing", "actions", name)
            _known(case, path, name, ours.policy.actions, "action", findings)
            action = ours.policy.actions.get(name)
            said = "contained" in one.model_fields_set
            if said and action is not None and not action.contained_when:
                what = f"{name} has no contained_when that could say it"
                remedy = "The rule's own recovery shows it: let the series recover, or not."
                findings.refuse(case.at(*path, "contained"), what, remedy)


def _unread(suite: Suite, case: Case, ours: Ours, findings: Findings) -> None:
    """A series that nothing reads is most likely misspelt."""
    names = names_in(
        text
        for rule in ours.policy.rules.values()
        for text in (*queries(rule), *impact_queries(rule))
    )
    if names is None or case.shape.promql_expr_test or suite.rules.theirs:
        return
    for index, one in enumerate(case.series):
        if one.name not in names:
            place = case.at("input_series", index, "series")
            findings.advise(place, f"no rule reads {one.name}", closest(one.name, names))


def _holds(case: Case, ours: Ours, findings: Findings) -> None:
    for index, hold in enumerate(case.shape.holds):
        named = [hold.owner, hold.rule, hold.target]
        if sum(one is not None for one in named) > 1:
            what = "a hold of several things"
            findings.refuse(case.at("holds", index), what, "Keep one of owner, rule and target.")
        owners = {part.owner for part in ours.policy.parts}
        targets = {action.target for action in ours.policy.actions.values()}
        known = {"owner": owners, "rule": set(ours.policy.rules), "target": targets}
        for (kind, names), name in zip(known.items(), named, strict=True):
            if name is not None and (kind != "rule" or ours.policy.rule(name) is None):
                _known(case, ("holds", index, kind), name, names, kind, findings)
        _ends(case, ("holds", index, "to"), hold.from_, hold.to, findings)


def _deploys(case: Case, ours: Ours, findings: Findings) -> None:
    targets = {ALL, *(action.target for action in ours.policy.actions.values())}
    for index, one in enumerate(case.shape.deploys):
        _known(case, ("deploys", index, "target"), one.target, targets, "target", findings)
        _ends(case, ("deploys", index, "to"), one.from_, one.to, findings)


def _answers(case: Case, ours: Ours, findings: Findings) -> None:
    for index, one in enumerate(case.shape.approvals):
        if one.rule is not None and ours.policy.rule(one.rule) is None:
            path = ("approvals", index, "rule")
            _known(case, path, one.rule, ours.policy.rules, "rule", findings)


def _events(case: Case, ours: Ours, findings: Findings) -> None:
    """By a channel that there is; labels that no rule asks for are most likely misspelt."""
    policy = ours.policy
    channels = {called(s): s for s in policy.sources.values() if isinstance(s.how, Channel)}
    signals = [r.signal for r in policy.rules.values() if isinstance(r.signal, EventSignal)]
    for index, told in enumerate(case.shape.events):
        _known(case, ("events", index, "channel"), told.channel, channels, "channel", findings)
        asked = [{m.label for m in s.matchers} for s in signals if s.channel == told.channel]
        fits = any(labels & set(told.labels) or not labels for labels in asked)
        if told.status == "firing" and told.channel in channels and not fits:
            what = f"no rule asks for a label that {told.id} has"
            known = sorted(set().union(*asked))
            findings.advise(case.at("events", index), what, closest("", known))


def _ends(
    case: Case, path: tuple[str | int, ...], since: float, to: float | None, findings: Findings
) -> None:
    if to is not None and to <= since:
        findings.refuse(case.at(*path), "it ends before it begins", "Write a later `to`.")


_CAN: dict[type, tuple[str, ...]] = {
    **dict.fromkeys(PROBES, ("failing", "unseen", "unasked")),
    Channel: ("deaf", "unasked"),
    Scrape: ("down", "unasked", "restarted"),
    JsonDocument: ("down", "unasked", "frozen"),
    PrometheusApi: ("down", "unasked", "frozen", "partial"),
}


def _showable(case: Case, index: int, ours: Ours, findings: Findings) -> None:
    """A document shows its own samples only, and those without labels."""
    written = case.shape.input_series[index]
    spec = ours.policy.sources.get(written.source or "")
    if spec is None or not isinstance(spec.how, JsonDocument):
        return
    names = {name for name, _ in spec.how.samples}
    name, labels = series_of(written.series)
    if name not in names or labels:
        what = f"the document {spec.name} has no sample {written.series}"
        findings.refuse(case.at("input_series", index, "series"), what, closest(name, names))
