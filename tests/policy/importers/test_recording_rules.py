"""Recording rules put in: Prometheus itself says that the values are those that it recorded."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from watchdog.policy.importers.importing import Imported, import_texts
from watchdog.policy.importers.inline import Inlined, Recording, Recordings
from watchdog.policy.importers.promql import tree_of, written
from watchdog.policy.nodes import Place

HERE = Place("rules.yaml", 1, 1)
RULES = {
    "job:rate": ("sum by (job) (rate(r_total[93s]))", {}),
    "job:errors": ('sum by (job) (rate(r_total{code=~"5.."}[93s]))', {}),
    "job:ratio": ("job:errors / job:rate", {}),
    "instance:q": ("q", {"kind": "queue"}),
    "kinds": ("sum without (code) (r_total)", {"kind": "requests"}),
    "most": ("max(q)", {}),
    "joined": ("q * on (job) group_left (team) owners", {}),
    "again": ("again + 1", {}),
    "named": ('label_replace(q, "x", "$1", "job", "(.*)")', {}),
}
SERIES = """\
  - {series: 'r_total{job="a",code="200"}', values: '0+10x80'}
  - {series: 'r_total{job="a",code="500"}', values: '0+1x80'}
  - {series: 'r_total{job="b",code="200"}', values: '0+7x80'}
  - {series: 'r_total{job="b",code="500"}', values: '0+3x80'}
  - {series: 'q{job="a"}', values: '1+1x40 40-1x40'}
  - {series: 'q{job="b"}', values: '9x80'}
  - {series: 'owners{job="a",team="x"}', values: '1x80'}
  - {series: 'owners{job="b",team="y"}', values: '2x80'}
"""


def inlined(text: str) -> Inlined:
    rules = [Recording(name, tree_of(e), labels, HERE) for name, (e, labels) in RULES.items()]
    return Recordings(rules).inline(tree_of(text))


EXACT = [
    "job:rate * 2",
    'job:ratio{job="a"} + 0',
    'job:ratio{job!="a", job=~"b|c"} * 1',
    'instance:q{kind="queue"} * 1',
    'instance:q{kind=~"qu.*", job="b"} * 1',
    'kinds{kind="requests", code=""} * 1',
    "sum(job:ratio)",
    "job:rate offset 2m * 1",
    'max(instance:q offset 1m30s) - max(instance:q{job="b"})',
    "most + sum(job:rate)",
    'joined{job="b"} * 1',
    "max_over_time(most[2m30s])",
    'sum(count_over_time(job:rate{job="a"}[3m15s]))',
    'named{job="b"} * 1',
]
KEPT = {
    'joined{team="x"} * 1': "a matcher of team cannot be handed down",
    'most{job="a"} * 1': "a matcher of job cannot be handed down",
    'instance:q{kind="other"} * 1': "none of the rules that record it has these labels",
    "job:rate @ 300 * 1": "at a fixed time",
    "again * 1": "it is recorded from itself",
    'named{x="b"} * 1': "a matcher of x cannot be handed down",
}


def values(folder: Path, asked: list[tuple[str, int]]) -> list[str]:
    """What promtool says each expression gives, as text; `nothing` where it is empty."""
    rules = "groups:\n- name: r\n  rules:\n"
    for name, (expr, labels) in RULES.items():
        if name != "again":
            rules += f"  - record: {name}\n    expr: '{expr}'\n"
            rules += f"    labels: {labels}\n" if labels else ""
    (folder / "rules.yaml").write_text(rules)
    tests = "".join(
        f"  - expr: |\n      {expr}\n    eval_time: {at}s\n"
        f"    exp_samples: [{{labels: 'never{{}}', value: 0}}]\n"
        for expr, at in asked
    )
    (folder / "test.yaml").write_text(
        "rule_files: [rules.yaml]\nevaluation_interval: 15s\ntests:\n- interval: 15s\n"
        f"  input_series:\n{SERIES}  promql_expr_test:\n{tests}"
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    got = re.findall(r"\n\s+got: ([^\n]*)", done.stdout + done.stderr)
    assert len(got) == len(asked), done.stdout + done.stderr
    return got


def test_prometheus_computes_the_same_from_what_is_put_in(tmp_path: Path) -> None:
    times = (300, 615, 1065)
    pairs = [(text, written(inlined(text).tree)) for text in EXACT]
    assert all("job:" not in new and "instance:" not in new for _, new in pairs)
    before = values(tmp_path, [(old, at) for old, _ in pairs for at in times])
    after = values(tmp_path, [(new, at) for _, new in pairs for at in times])
    for index, text in enumerate(text for text in EXACT for _ in times):
        assert before[index] != "nil", text
        assert after[index] == before[index], text


@pytest.mark.parametrize("text", KEPT)
def test_what_cannot_be_put_in_exactly_stays_and_says_why(text: str) -> None:
    done = inlined(text)
    assert written(done.tree) == written(tree_of(text))
    ((_, why),) = done.kept
    assert KEPT[text] in why


def alerts(expr: str, rules: str) -> Imported:
    text = f"groups:\n- name: g\n  rules:\n{rules}  - alert: A\n    expr: {expr}\n"
    return import_texts({"f.yaml": text})


def test_a_bomb_of_recording_rules_is_refused_at_its_alert() -> None:
    rules = "  - {record: 'r:0', expr: x}\n" + "".join(
        f"  - {{record: 'r:{n}', expr: 'r:{n - 1} + r:{n - 1}'}}\n" for n in range(1, 40)
    )
    result = alerts("r:39 > 5", rules)
    assert [(e.line, e.column) for e in result.errors[:1]] == [(45, 11)]
    assert "more than 250 operators" in result.errors[0].what


def test_a_recorded_series_of_another_file_is_told_of() -> None:
    result = alerts("job:x:sum > 5", "")
    assert any("looks like a recorded series" in note.what for note in result.report.notes)
    together = import_texts(
        {
            "alerts.yaml": "groups: [{name: a, rules: [{alert: A, expr: 'job:x:sum > 5'}]}]\n",
            "records.yaml": "groups: [{name: r, rules: [{record: 'job:x:sum', expr: sum(x)}]}]\n",
        }
    )
    (draft,) = together.drafts
    assert draft.signal == ("threshold", {"expr": "sum(x)", "breach_when": "> 5"})


def test_rules_of_one_name_are_all_meant_unless_their_labels_say_which() -> None:
    rules = (
        "  - {record: 'c:x', expr: sum(x), labels: {side: left}}\n"
        "  - {record: 'c:x', expr: sum(y), labels: {side: right}}\n"
    )
    (one,) = alerts("'c:x{side=\"right\"} > 5'", rules).drafts
    assert one.signal[1]["expr"] == "sum(y)"
    (both,) = alerts("c:x > 5", rules).drafts
    assert both.signal[1]["expr"] == (
        'max(label_replace(sum(x), "side", "left", "", "") '
        'or label_replace(sum(y), "side", "right", "", ""))'
    )
