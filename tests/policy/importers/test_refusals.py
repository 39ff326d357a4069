"""What cannot be imported is refused at its place, in words; nothing ends in a traceback."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.importers.beside import as_policy
from tests.policy.importers.samples import (
    OPENSLO,
    OPENSLO_OTHERS,
    PROMETHEUS,
    PYRRA,
    SAMPLES,
    SLOTH,
    SLOTH_OBJECT,
)
from watchdog.policy.importers.importing import Imported, import_texts

MARK = "§"


def instead(text: str, old: str, new: str) -> str:
    """The sample with a part written otherwise; § marks where the refusal must point."""
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


REFUSED = {
    "an unknown version of an object": (
        instead(PYRRA, "pyrra.dev/v1alpha1", "§pyrra.dev/v2"),
        "pyrra.dev/v2 is not known",
    ),
    "an unknown kind": (instead(PYRRA, "ServiceLevelObjective", "§Service"), "kind Service"),
    "an unknown version of a file": (
        instead(SLOTH, "prometheus/v1", "§prometheus/v2"),
        "version prometheus/v2",
    ),
    "an old OpenSLO": (instead(OPENSLO, "openslo/v1", "§openslo/v1alpha"), "openslo/v1alpha"),
    "no known format": ("§rules: []\n", "no known format"),
    "a list": ("§- a\n", "a document that is a list"),
    "nothing": (f"{MARK}", "the file is empty"),
    "a template of a chart": ("groups:\n{{ if .Values.on }}\n", ""),
    "a template in an expression": (
        instead(PROMETHEUS, "expr: sum(other)", 'expr: §"sum({{ .Values.metric }})"'),
        "a template that nobody has filled in",
    ),
    "a merge of labels": (
        instead(PROMETHEUS, "labels: {site: north}", "labels: {<<: §{site: north}}"),
        "Write out what is merged there.",
    ),
    "no PromQL": (instead(PROMETHEUS, "expr: sum(other)", "expr: §sum(other"), "no PromQL"),
    "an expression without end": (
        instead(PROMETHEUS, "expr: sum(other)", "expr: §" + "(" * 300 + "x" + ")" * 300),
        "nested too deeply",
    ),
    "a rule that is neither": (
        instead(PROMETHEUS, "§- alert: HighErrorRate\n       ", "")
        if "§" in PROMETHEUS
        else instead(PROMETHEUS, "- alert: HighErrorRate\n        expr", "- §expr"),
        "there is no group shop.rules[].alert",
    ),
    "a rule that is both": (
        instead(PROMETHEUS, "- alert: HighErrorRate", "- alert: High\n        §record: x"),
        "both `alert` and `record`",
    ),
    "no duration": (instead(PROMETHEUS, "for: 5m", "for: §soon"), "is no duration: soon"),
    "an objective of everything": (
        instead(SLOTH, "objective: 99.9", "objective: §100"),
        "an objective of 100",
    ),
    "an objective that is no number": (
        instead(SLOTH, "objective: 99.9", "objective: §three nines"),
        "is no number",
    ),
    "a window that Sloth would not find": (
        instead(SLOTH, "sum(rate(requests_total[{{.window}}]))", "§sum(rate(requests_total[5m]))"),
        "does not use {{.window}}",
    ),
    "another template of Sloth": (
        instead(SLOTH, "sum(rate(requests_total[{{.window}}]))", "§sum(rate({{.m}}[{{.window}}]))"),
        "a template that nobody has filled in",
    ),
    "an SLI that is code": (
        instead(
            SLOTH,
            "raw:\n        error_ratio_query: 1 - avg_over_time(fast:ratio[{{ .window }}])",
            "plugin:\n        §id: sloth-common/http",
        ),
        "which is code",
    ),
    "windows without a share": (
        instead(SLOTH_OBJECT, "quick: {errorBudgetPercent: 8", "quick: §{x: 8"),
        "needs errorBudgetPercent",
    ),
    "a window of Pyrra that is too short": (
        instead(PYRRA, "window: 2w", "window: 1h"),
        "rounds to",
    ),
    "an indicator of Pyrra that is none": (
        instead(PYRRA, "metric: 'requests_total{job=\"shop\"}'", "metric: §'rate(x[5m])'"),
        "is no plain selector",
    ),
    "two indicators": (
        instead(PYRRA, "indicator:\n    ratio", "indicator:\n    §latency: {}\n    ratio"),
        "spec.indicator has ratio and latency",
    ),
    "a reference to nothing": (
        instead(OPENSLO, "indicatorRef: web-errors", "indicatorRef: §web-error"),
        "there is no SLI web-error",
    ),
    "a policy that is not there": (
        instead(OPENSLO, "alertPolicyRef: burn", "alertPolicyRef: §burns"),
        "there is no AlertPolicy burns",
    ),
    "a target of everything": (
        instead(OPENSLO, "- {displayName: good, target: 0.995}", "- §{target: 1}"),
        "a target of 1",
    ),
    "another language": (
        instead(OPENSLO_OTHERS, "type: prometheus", "type: §Datadog"),
        "of type Datadog",
    ),
    "another condition": (
        instead(OPENSLO, "kind: burnrate, threshold", "kind: §guess, threshold"),
        "of kind guess",
    ),
    "a filter in a threshold": (
        instead(OPENSLO_OTHERS, "(0.99,", "(0.99, 1 <"),
        "",
    ),
}


def unmarked(text: str) -> tuple[str, int, int]:
    before, mark, after = text.partition(MARK)
    if not mark:
        return text, 0, 0
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("why", REFUSED)
def test_it_is_refused_at_its_place(why: str) -> None:
    marked, says = REFUSED[why]
    text, line, column = unmarked(marked)
    result = import_texts({"f.yaml": text})
    found = [problem.text for problem in result.errors]
    assert found
    assert any(says in text for text in found), found
    if line and why != "two indicators":
        assert any(f.startswith(f"f.yaml:{line}:{column}: ") and says in f for f in found), found


def test_a_template_is_to_be_rendered_first() -> None:
    result = import_texts({"f.yaml": "groups:\n{{ if .Values.on }}\n- name: x\n{{ end }}\n"})
    assert "render it first" in result.errors[0].remedy


HOSTILE = {
    "a bomb of aliases": "groups: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)
    ),
    "a circle": "groups: &r\n  a: *r\n",
    "binary": "groups:\n\x00\x01\x02",
    "a python tag": "groups: !!python/object/apply:os.system [id]\n",
    "deep": "groups: " + "[" * 100_000,
    "quotes": "'" * 250_000,
    "braces": "{" * 250_000,
    "many documents": "---\na: 1\n" * 20_000,
    "too long": "#" + "x" * 2_000_000,
    "many rules": "groups:\n- name: g\n  rules:\n" + "  - {alert: A, expr: x > 1}\n" * 2500,
    "many broken rules": "groups:\n- name: g\n  rules:\n" + "  - {alert: A, expr: '('}\n" * 2500,
    "one broken rule, very long": "groups: [{name: g, rules: [{alert: A, expr: '"
    + "a + " * 3000
    + "a'}]}]",
    "wide": "groups: [{name: g, rules: [{alert: A, expr: '"
    + " or ".join(f"sum(a{n}) > {n}" for n in range(60))
    + "'}]}]",
    "many labels": "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x > 1\n    labels:\n"
    + "".join(f"      l{n}: '{{{{ $x }}}}'\n" for n in range(6000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_takes_no_time(name: str) -> None:
    began = time.process_time()
    result = import_texts({"f.yaml": HOSTILE[name]})
    assert time.process_time() - began < 4, "under 2 s alone; the machine may be busy"
    assert result.errors or result.drafts
    assert len(result.errors) <= 201


def consistent(result: Imported) -> None:
    """What holds of every import, whatever was given."""
    if result.errors:
        return
    as_policy(result)
    assert len(result.report.came) == len(result.drafts) > 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    consistent(import_texts({"f.yaml": text}))


PIECES = st.sampled_from(
    [
        "",
        "x",
        "0",
        "-1",
        "1e400",
        "null",
        "[]",
        "{}",
        "'{{ x }}'",
        "true",
        "99.9",
        "5m",
        "[a, {b: c}]",
        "sum(rate(x[5m]))",
        "absent(y)",
        "a > 5\n    ",
        "'\\'",
        "*a",
        "&a",
        "!!x",
        "---",
        "- a",
        "'x[{{.window}}]'",
        "y:",
        "  ",
        "1d",
        "0m",
        "P1",
        "'\"'",
        "99999999999999999999999999999999\n    ",
        "\t",
    ]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_sample_that_is_damaged_is_answered(sample: str, data: st.DataObject) -> None:
    """Lines are cut, doubled, and written otherwise."""
    lines = SAMPLES[sample].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, colon, value = lines[at].partition(": ")
        piece = data.draw(PIECES)
        lines[at : at + 1] = data.draw(
            st.sampled_from(
                [
                    [],
                    [lines[at], lines[at]],
                    [f"{key}{colon}{piece}"],
                    [f"{lines[at]}{piece}"],
                    [lines[at][: len(lines[at]) // 2]],
                    [f"  {lines[at]}"],
                ]
            )
        ) or [""]
        del value
    consistent(import_texts({"f.yaml": "\n".join(lines)}))


METRIC = st.sampled_from(["a", "b{x='1'}", "r_total", "r_total{code=~'5..'}", "job:x:sum"])


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "/", "*", ">", "<", "==", "> bool", "and", "or", "unless", "and on ()", "^"]
    )
    binary = st.tuples(inner, operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    with_number = st.tuples(inner, operators, st.sampled_from(["5", "0.01", "-1", "1e9"])).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    )
    call = st.tuples(
        st.sampled_from(["sum", "max by (x)", "abs", "absent", "topk", "-", "count without (x)"]),
        inner,
    ).map(lambda t: f"{t[0]}(2, {t[1]})" if t[0] == "topk" else f"{t[0]}({t[1]})")
    return binary | with_number | call


RANGED = METRIC.map(lambda m: f"rate({m}[5m])") | METRIC
EXPRESSIONS = st.recursive(RANGED, _deeper, max_leaves=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_any_expression_is_imported_so_that_it_loads_or_is_told_of(expr: str) -> None:
    rules = "- {record: 'job:x:sum', expr: 'sum by (x) (r_total)', labels: {k: v}}"
    text = f'groups:\n- name: g\n  rules:\n  {rules}\n  - alert: A\n    expr: "{expr}"\n'
    result = import_texts({"f.yaml": text})
    consistent(result)
    if not result.drafts:
        assert result.errors
