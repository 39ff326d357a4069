"""What an owner may not write: each refusal at its exact place, with what to do."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked

HEAD = "version: 1\nrules:\n"


def rule(body: str) -> str:
    return HEAD + "  peg:\n    severity: P0\n" + "".join(f"    {x}\n" for x in body.splitlines())


VALUE = 'source: status\nintegrity: {expr: peg_ratio, breach_when: "< 1"}\n'
RATIO = (
    'source: app\nthreshold: {bad: bad_total, total: all_total, over: 30s, breach_when: "> 5%"}\n'
)
ARMED = "playbook: redemption\narmed_because: because\n"
SLO = "source: app\nslo: {objective: %s, bad: bad_total, total: all_total, burn: [%s]}\n"
PAIR = "{budget: 2%, long: 1h, short: 5m}"

REFUSED = {
    "armed with too short a for": (VALUE + ARMED + "for: §30s\nmode: armed", "for: 45s"),
    "armed without for": (VALUE + ARMED + "mode: §armed", "without `for`"),
    "armed ratio without minimum events": (
        RATIO + ARMED + "for: 15s\nmode: §armed",
        "minimum_events",
    ),
    "armed without playbook": (
        VALUE + "for: 1m\narmed_because: x y\nmode: §armed",
        "peg has `mode: armed` and no playbook",
    ),
    "a filter in an expr": (
        'source: app\nthreshold: {expr: §max(errors) > 0.05, breach_when: "> 5%"}',
        (
            'filters its own result ("> 0.05"), so "healthy" and "no data" would look the same. '
            "Remove the comparison and write it as breach_when"
        ),
    ),
    "a filter below others": (
        'source: prom\nintegrity: {expr: §"abs(up == 0) * 2 and up", breach_when: "> 0"}',
        'result ("== 0")',
    ),
    "two numbers compared": (
        'source: app\nintegrity: {expr: §"time() > 5", breach_when: "> 0"}',
        "two numbers are compared. Write `bool` after the operator",
    ),
    "a range that is missing": (
        'source: app\nintegrity: {expr: §"rate(x_total)", breach_when: "> 0"}',
        "`rate` takes a range of samples and is given an instant vector. Say how far back",
    ),
    "no PromQL": ('source: prom\nintegrity: {expr: §"sum((", breach_when: "> 0"}', "is no PromQL"),
    "PromQL outside the subset": (
        'source: app\nintegrity: {expr: §"histogram_fraction(0, 1, x_bucket)", breach_when: "> 0"}',
        "histogram_fraction",
    ),
    "a number for an expr": (
        'source: prom\nintegrity: {expr: §"5", breach_when: "> 0"}',
        "no measured",
    ),
    "a range for an expr": (
        'source: prom\nintegrity: {expr: §"a[5m]", breach_when: "> 0"}',
        "measured",
    ),
    "a rate for a counter": (
        'source: app\nthreshold: {bad: §"rate(x[5m])", total: t, over: 1m, breach_when: "> 5%"}',
        "Name the raw counter itself",
    ),
    "a shifted counter": (
        'source: app\nthreshold: {bad: §x offset 5m, total: t, over: 1m, breach_when: "> 5%"}',
        "shifted",
    ),
    "bad is total": (
        'source: app\nthreshold: {bad: §x, total: x, over: 1m, breach_when: "> 5%"}',
        "same counter",
    ),
    "both bad and good": (
        'source: app\nthreshold: {bad: x, §good: y, total: t, over: 1m, breach_when: "> 5%"}',
        "both",
    ),
    "neither bad nor good": (
        'source: app\n§threshold: {total: t, over: 1m, breach_when: "> 5%"}',
        "neither bad nor good",
    ),
    "half a ratio": (
        'source: app\n§threshold: {bad: x, breach_when: "> 5%"}',
        "one of the two forms",
    ),
    "per cent forgotten": (
        'source: app\nthreshold: {bad: x, total: t, over: 1m, breach_when: §"> 5"}',
        'write "> 5%"',
    ),
    "a number that is no ratio": (
        'source: app\nthreshold: {bad: x, total: t, over: 1m, breach_when: §"> 700"}',
        'A ratio lies between 0 % and 100 %. Write it like "> 5%".',
    ),
    "a number that is no ratio, the wrong way": (
        'source: app\nthreshold: {bad: x, total: t, over: 1m, breach_when: §"< 5"}',
        'A ratio lies between 0 % and 100 %. Write it like "> 5%".',
    ),
    "a ratio bound that can never be met": (
        'source: app\nthreshold: {bad: x, total: t, over: 1m, breach_when: §"> 100%"}',
        "never be true",
    ),
    "a ratio bound the wrong way": (
        'source: app\nthreshold: {bad: x, total: t, over: 1m, breach_when: §"< 5%"}',
        "above something",
    ),
    "a negative bound": ('source: app\nintegrity: {expr: x, breach_when: §"> -1"}', "negative"),
    "NaN as a bound": ('source: app\nintegrity: {expr: x, breach_when: §"> NaN"}', "no bound"),
    "a window of one sample": (
        'source: app\nthreshold: {bad: x, total: t, over: §6s, breach_when: "> 5%"}',
        "less than two",
    ),
    "objective 100 %": (SLO % ("§100%", PAIR), "no budget to burn"),
    "objective 0": (SLO % ("§0%", PAIR), "nothing to keep"),
    "objective without per cent": (SLO % ("§99.9", PAIR), "99.9%"),
    "a pair that can never fire": (
        SLO % ("90%", "§{budget: 2%, long: 1h, short: 5m}"),
        "can never fire",
    ),
    "a pair at exactly its limit": (
        (
            "source: app\nslo: {objective: 90%, period: 10h, bad: x, total: t, "
            "burn: [§{budget: 100%, long: 1h, short: 5m}]}"
        ),
        "can never fire",
    ),
    "short not below long": (SLO % ("99%", "{budget: 2%, long: 1h, short: §1h}"), "not shorter"),
    "no budget": (SLO % ("99%", "{budget: §0%, long: 1h, short: 5m}"), "budget of nothing"),
    "long above the period": (
        SLO % ("99.9%", "{budget: 2%, long: §31d, short: 1h}"),
        "longer than",
    ),
    "no pairs": ("source: app\nslo: {objective: 99%, bad: b, total: t, burn: §[]}", "at least 1"),
    "unknown source": (
        'source: §ap\nintegrity: {expr: x, breach_when: "< 1"}',
        "Did you mean app?",
    ),
    "unknown sample of a document": (
        'source: status\nintegrity: {expr: §peg_ratoi, breach_when: "< 1"}',
        "Did you mean peg_ratio?",
    ),
    "unknown playbook": (VALUE + "playbook: §redemtion", "Did you mean redemption?"),
    "up_to outside of the playbook": (
        VALUE + "playbook: redemption\nup_to: §pause-redemtion",
        "Did you",
    ),
    "up_to alone": (VALUE + "§up_to: pause-redemption", "without a playbook"),
    "corroborated by nobody": (VALUE + "corroborate: [§publik]", "there is no rule publik"),
    "corroborating itself": (VALUE + "corroborate: [§peg]", "cannot corroborate itself"),
    "another owner": (VALUE + "owner: §team-b", "the owner is the folder's name, team-a"),
    "minimum events of no ratio": (VALUE + "§minimum_events: 5", "is for ratios"),
    "0 s": (VALUE + "for: §0s", "no time at all"),
    "a negative duration": (VALUE + "for: §-5s", "negative"),
    "a duration without unit": (VALUE + "for: §15", "no unit"),
    "a huge duration": (VALUE + "for: §99999999d", "longer than a year"),
    "a huge number": (VALUE + "for: §9999999999999999999999", "too long"),
    "an overflowing number": (VALUE + "labels: {a: §1e400}", "too large"),
    "NaN": (VALUE + "for: §.nan", "no number"),
    "infinity": (VALUE + "for: §-.inf", "no number"),
    "a list for a text": (VALUE + "summary: §[a]", "text is wanted"),
    "unknown key": (VALUE + "§severty: P1", "unknown key `severty`. Did you mean severity?"),
    "unknown key inside": (
        'source: app\nintegrity: {§exp: x, expr: x, breach_when: "< 1"}',
        "mean expr",
    ),
    "unknown mode": (VALUE + "mode: §amred", "Write observe, shadow, approve or armed."),
    "unknown severity": (VALUE + "on_blind: §keep", "keep is not known"),
    "on_blind misspelt": (VALUE + "on_blind: {§page_afer: 5m, page_after: 5m}", "page_after?"),
    "two kinds": (VALUE + "§liveness: {up: app}", "Write exactly one of"),
    "liveness of an unknown source": ("liveness: {up: §ap}", "Did you mean app?"),
    "liveness of a Prometheus": ("liveness: {up: §prom}", "Write `source: prom` and a selector"),
    "a selector for a scraped source": (
        "source: app\nliveness: {up: §'up{job=\"x\"}'}",
        "one `up`",
    ),
    "stale before the next sample": (VALUE + "stale_after: §5s", "stale between two samples"),
    "unknown variable": (VALUE + 'for: §"{{ hold }}"', "unknown variable hold"),
    "a broken variable": (VALUE + 'for: §"{{ app }"', "broken variable"),
    "a rhythm": (VALUE + "§every: 1m", "`every` is for probes; here the source's counts"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_rule_is_refused_at_its_place(name: str) -> None:
    body, says = REFUSED[name]
    text, line, column = unmarked(rule(body))
    outcome = load(folder(team_a=text))
    found = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert any(says in problem for problem in found), [e.text for e in outcome.errors]
    assert all(problem.remedy for problem in outcome.errors)
    assert outcome.policy is not None
    assert not outcome.policy.rules, "an owner's part is all or nothing"


@pytest.mark.parametrize(
    ("expression", "filter_text"),
    [
        ("count(up == 0)", "== 0"),
        ("sum(x > 5) / count(x)", "> 5"),
        ("sum(absent(x))", "absent(x)"),
        ("count(x == 0) or sum(y > 1)", "== 0"),
    ],
)
def test_a_filter_inside_is_allowed_with_a_warning_of_blindness(
    expression: str, filter_text: str
) -> None:
    body = f'source: app\nintegrity: {{expr: §"{expression}", breach_when: "> 0"}}'
    text, line, column = unmarked(rule(body))
    outcome = load(folder(team_a=text))
    assert not outcome.errors
    (advice,) = at(outcome.advice, "team-a/rules.yaml", line, column)
    assert f'gives no result while nothing passes "{filter_text}"' in advice
    assert "`bool`" in advice
    assert "or vector(0)" in advice


@pytest.mark.parametrize(
    "expression",
    [
        "count(up == bool 0)",
        "count(up == 0) or vector(0)",
        "x > 5 or on () vector(0)",
        "absent(x) or on () vector(0)",
        "sum(x) > bool 3",
    ],
)
def test_what_always_gives_a_result_is_allowed(expression: str) -> None:
    body = f'source: app\nintegrity: {{expr: "{expression}", breach_when: "> 0"}}'
    outcome = load(folder(team_a=rule(body)))
    assert not outcome.errors
    assert not outcome.advice


def test_no_rule_is_called_as_peoples_own_orders_are() -> None:
    """Its episodes would be taken for theirs: opened anew at every pass, and judged by no rule."""
    text, line, column = unmarked(rule(VALUE).replace("peg:", "§manual:"))
    outcome = load(folder(team_a=text))
    (problem,) = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert "people's own orders" in problem


def test_a_missing_key_is_told_at_the_rule_that_lacks_it() -> None:
    text, line, column = unmarked(HEAD + "  §peg:\n    integrity: {expr: x, breach_when: '< 1'}\n")
    outcome = load(folder(team_a=text))
    assert at(outcome.errors, "team-a/rules.yaml", line, column) == [
        "peg has no `severity`. Write one of P0, P1, P2, P3."
    ]


def test_all_faults_are_told_at_once() -> None:
    text = HEAD + (
        "  peg:\n    severity: P9\n    source: app\n    for: 0s\n"
        "    integrity: {expr: x, breach_when: '< 1'}\n"
        "  other:\n    severity: P1\n    source: nope\n    liveness: {up: app}\n"
    )
    told = [(p.line, p.column) for p in load(folder(team_a=text)).errors]
    assert told == [(4, 15), (6, 10), (10, 13)]


def test_an_override_with_its_reason_lets_an_armed_rule_do_without() -> None:
    text = rule(RATIO + ARMED + "mode: armed\noverride: low traffic, one failure matters")
    outcome = load(folder(team_a=text))
    assert not outcome.errors
    assert outcome.policy is not None
    assert outcome.policy.rules["peg"].mode_reason == (
        "because; override: low traffic, one failure matters"
    )


def test_a_word_of_a_later_version_is_not_drowned_in_what_follows_from_it() -> None:
    text = PLATFORM.replace("every: 5s}", "every: soon, command: [date]}")
    (told,) = load(folder(text)).errors
    assert told.what == "`command`: a command as a source is not supported by this version"


def test_an_owner_uses_only_what_was_granted() -> None:
    granted, line, column = unmarked(rule(VALUE + "playbook: §redemption"))
    outcome = load(folder(team_c=granted))
    found = at(outcome.errors, "team-c/rules.yaml", line, column)
    (told,) = found
    assert told == (
        "team-c may not use the playbook redemption with pause-redemption, which peg could reach. "
        "The platform's file grants it: grants: {team-c: [redemption, pause-redemption]}."
    )


def test_a_presence_that_is_longer_than_is_read_here_is_refused_at_load() -> None:
    """A Prometheus would answer it, and nobody could tell which silence in the answer is health."""
    many = "x{" + ",".join(['a!="1"'] * 255) + "}"
    for bound, refused in (("present", True), ('"> 5"', False)):
        value = f"{many} > 5" if refused else f"sum({many})"
        text = HEAD + (
            "  peg:\n    severity: P0\n    source: prom\n"
            f"    threshold:\n      expr: '{value}'\n      breach_when: {bound}\n"
        )
        told = [problem.what for problem in load(folder(team_a=text)).errors]
        assert bool(told) is refused, told
        if refused:
            assert "more than 250 operators" in told[0]
            assert "with `present`" in told[0]
