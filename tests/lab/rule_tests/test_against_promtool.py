"""The real promtool and ours judge the same files, and agree on every one that passes or fails.

Prometheus 2.42 takes the sample on the left edge of a range, Prometheus 3 and we do not: ranges
end between samples here, so that nothing depends on it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from watchdog.lab.rule_tests import run_files
from watchdog.lab.rule_tests.checks import NOTHING, Check

RULES = """\
groups:
  - name: first
    rules:
      - {record: "job:x:sum", expr: sum by (job) (x)}
      - {record: "job:x:rate", expr: "sum by (job) (rate(x[100500ms]))", labels: {kind: recorded}}
  - name: second
    rules:
      - alert: High
        expr: "job:x:sum > 10"
        for: 2m
        labels: {severity: page, from: "{{ $labels.job }}"}
        annotations: {summary: "{{ $labels.job }} has {{ $value }} in {{ $externalLabels.dc }}"}
      - {alert: Kept, expr: "x > 8", for: 1m, keep_firing_for: 3m}
      - {alert: AtOnce, expr: "x == 5 or x < 0", labels: {job: "", severity: warn}}
      - {alert: Gone, expr: "absent(x{job='a'})", for: 1m}
      - alert: Slow
        expr: "max_over_time(x[100500ms]) > 25"
        annotations: {v: "{{ $value | humanize }}"}
      - {alert: Pending, expr: 'ALERTS{alertname="High", alertstate="pending"}'}
      - {alert: Old, expr: 'time() - ALERTS_FOR_STATE{alertname="High"} > 240'}
"""
ALERTS = ("High", "Kept", "AtOnce", "Gone", "Slow", "Pending", "Old")
SERIES = (
    ("0+1x30 30x20 2x20", "20x5 1x20 30x40"),
    ("5x10 _x40 5x20", "9x20 stale _x3 9x30"),
    ("-1+0.5x60", "100-3x60"),
    ("_x15 12x50", "1 2 3 stale 40x40"),
    ("11x12 1x2 11x12 1x12 11x40", "NaN 5 Inf 5x50"),
)


def case(series: tuple[str, str], body: str) -> str:
    one, two = series
    return f"""\
rule_files: [rules.yaml]
evaluation_interval: 1m
group_eval_order: [first, second]
tests:
  - interval: 17s
    external_labels: {{dc: here}}
    input_series:
      - {{series: 'x{{job="a", code="1"}}', values: '{one}'}}
      - {{series: 'x{{job="b"}}', values: '{two}'}}
{body}"""


def promtool(folder: Path, names: list[str]) -> dict[str, bool]:
    """Whether each file passes in the real one."""
    done = subprocess.run(
        ["promtool", "test", "rules", *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # Failures go to another stream than successes: a file without a success has failed.
    found = re.findall(r"Unit Testing: +(\S+)\n+( +SUCCESS)?", done.stdout)
    assert [name for name, _ in found] == names, done.stdout + done.stderr
    return {name: bool(success) for name, success in found}


def both(folder: Path, files: Mapping[str, str]) -> dict[str, bool]:
    """What promtool says of the files; ours must say the same."""
    (folder / "rules.yaml").write_text(RULES)
    for name, text in files.items():
        (folder / name).write_text(text)
    ran = run_files([folder / name for name in files])
    assert not [problem.text for file in ran for problem in file.problems]
    ours = {Path(file.file).name: file.passed for file in ran}
    theirs = promtool(folder, list(files))
    assert ours == theirs
    return theirs


def passing(folder: Path, series: tuple[str, str], word: str, asks: list[str]) -> list[Check]:
    """What ours gives to these questions, asked all in one."""
    (folder / "rules.yaml").write_text(RULES)
    (folder / "asked.yaml").write_text(case(series, f"    {word}:\n" + "".join(asks)))
    (ran,) = run_files([folder / "asked.yaml"])
    assert not ran.problems, [problem.text for problem in ran.problems]
    checks = list(ran.checks)
    assert len(checks) == len(asks)
    return checks


@pytest.mark.parametrize("series", SERIES, ids=range(len(SERIES)))
def test_the_same_alerts_fire_at_the_same_times(tmp_path: Path, series: tuple[str, str]) -> None:
    """What is expected comes from ours: each must pass in both, and fail in both once changed."""
    files = {}
    for number, alert in enumerate(ALERTS):
        asks = [f"      - {{eval_time: {m * 60 + 7}s, alertname: {alert}}}\n" for m in range(19)]
        checks = passing(tmp_path, series, "alert_rule_test", asks)
        whole = "".join(_expecting(alert, minute, c.got) for minute, c in enumerate(checks))
        files[f"{alert}.yaml"] = case(series, f"    alert_rule_test:\n{whole}")
        minute = (7 * number + len(series[0])) % 19  # any one of them
        quiet = checks[minute].got == NOTHING
        wrong = _expecting(alert, minute, ("wrong{a='b'}",) if quiet else NOTHING)
        files[f"{alert}-wrong.yaml"] = case(series, f"    alert_rule_test:\n{wrong}")
    said = both(tmp_path, files)
    assert said == {name: "wrong" not in name for name in files}


def _expecting(alert: str, minute: int, got: tuple[str, ...]) -> str:
    """A check that expects what a report showed."""
    lines = [f"      - eval_time: {minute * 60 + 7}s\n        alertname: {alert}\n"]
    if got != NOTHING:
        lines.append("        exp_alerts:\n")
    for text in got if got != NOTHING else ():
        series, *annotations = text.splitlines()
        labels = re.findall(r"(\w+)=[\"']([^\"']*)[\"']", series)
        inner = ", ".join(f"{name}: '{value}'" for name, value in labels)
        lines.append(f"          - exp_labels: {{{inner}}}\n")
        if annotations:
            lines.append("            exp_annotations:\n")
            lines += [f"              {a.strip().replace(': ', ': >-', 1)}\n" for a in annotations]
    return "".join(line.replace(": >-", ": ") for line in lines)


EXPRESSIONS = (
    "x",
    "job:x:sum",
    "job:x:rate",
    "sum(x)",
    "x > 5",
    "1 + 1",
    "rate(x[100500ms]) * 60",
    "increase(x[310500ms])",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "count by (alertname) (ALERTS)",
    "time()",
    "absent(y)",
    "max_over_time(x[200500ms]) - min_over_time(x[200500ms])",
    "x{job=~'a|c'} or vector(3)",
    "avg(x) / ignoring() count(x)",
    "no_such_series",
)


@pytest.mark.parametrize("series", SERIES[:4], ids=range(4))
def test_expressions_give_the_same_samples(tmp_path: Path, series: tuple[str, str]) -> None:
    asks = [
        f'      - expr: "{expr}"\n        eval_time: {seconds}s\n'
        for expr in EXPRESSIONS
        for seconds in (0, 600, 785)
    ]
    checks = passing(tmp_path, series, "promql_expr_test", asks)
    whole = "".join(ask + _samples(check.got) for ask, check in zip(asks, checks, strict=True))
    files = {"all.yaml": case(series, f"    promql_expr_test:\n{whole}")}
    for number, ask in enumerate(asks):
        if number % 6 != 1:
            continue
        more = _samples(checks[number].got) + "          - {labels: one_more, value: 1}\n"
        files[f"{number}-wrong.yaml"] = case(series, f"    promql_expr_test:\n{ask}{more}")
    said = both(tmp_path, files)
    assert said == {name: "wrong" not in name for name in files}


def _samples(got: tuple[str, ...]) -> str:
    samples = [] if got == NOTHING else [line.rsplit(" ", 1) for line in got]
    return "        exp_samples:\n" + "".join(
        f"          - {{labels: '{labels}', value: {value}}}\n" for labels, value in samples
    )


ODD = {
    "nan-equals-nothing": "- {expr: 'x * NaN', eval_time: 0, exp_samples: [{labels: "
    "'{job=\"b\"}', value: .NaN}]}",
    "one-bit-off": "- {expr: '0.1 + 0.2', eval_time: 0, exp_samples: [{value: 0.3}]}",
    "the-very-bits": "- {expr: '0.1 + 0.2', exp_samples: [{value: 0.30000000000000004}]}",
    "between-two-passes": "- {expr: 'x{job=\"a\"}', eval_time: 119s, exp_samples: "
    '[{labels: \'x{job="a", code="1"}\', value: 6}]}',
    "between-two-passes-as-of-the-last": "- {expr: 'x{job=\"a\"}', eval_time: 119s, exp_samples: "
    '[{labels: \'x{job="a", code="1"}\', value: 3}]}',
    "no-key-is-nothing": "- {expr: no_such_series}",
    "labels-in-any-order": "- {expr: 'x{job=\"a\"}', exp_samples: "
    '[{labels: \'{code="1",__name__="x",job="a"}\', value: 0}]}',
}


def test_odd_expectations_are_judged_alike(tmp_path: Path) -> None:
    files = {
        f"{name}.yaml": case(SERIES[0], f"    promql_expr_test:\n      {text}\n")
        for name, text in ODD.items()
    }
    said = both(tmp_path, files)
    assert [name for name, passed in said.items() if not passed] == [
        "nan-equals-nothing.yaml",
        "one-bit-off.yaml",
        "between-two-passes.yaml",
    ]


NOTATIONS = [
    *("1 2", "1x2", "1+2x2", "1-2x2", "-1-2x2", "1 _ 2", "_x3 1", "stale", "NaN", "Inf", "-Inf"),
    *("+Inf", "inf", "nan", "NAN", "1e3", "1.5e-3x2", "0x10", ".5", "+3", "_x0", "1x0", "1+1x0"),
    *("  1   2  ", "1\t2", "Inf+1x2", "1+2x3 4", "1.", "0.1+0.1x9", "1e5x2", "1 2 stale 3", "-nan"),
]
NO_NOTATIONS = [
    *("stale x3", "stalex3", "0xff", "1_000", "1+-2x3", "1-+2x3", "1 + 2x3", "1x-3", "1 x3", "5x"),
    *("1x2.5", "1,2", "NaNx2", "staLE", "1x3x2", "abc", "1+2", "0b1", "1e400", "_1", "__", "_x2_"),
    *(
        "1e",
        "1h",
        "-_",
        "--1",
        "Infinity",
        "1 # c",
        "1+NaNx2",
        "1X2",
        "-Infx2",
        "1+1x2-1x2",
        "1.5.2",
    ),
]


def test_every_notation_gives_the_same_values(tmp_path: Path) -> None:
    files = {}
    for number, text in enumerate(NOTATIONS):
        ask = f"tests:\n  - interval: 1m\n    input_series: [{{series: y, values: '{text}'}}]\n"
        ask += "    promql_expr_test:\n"
        ask += "      - {expr: y == y, eval_time: 2m, exp_samples: [SAMPLE]}\n"
        ask += "      - expr: count_over_time(y[9m30s])\n"
        ask += "        eval_time: 9m\n        exp_samples: [COUNT]\n"
        plain = ask.replace("[SAMPLE]", "[]").replace("[COUNT]", "[]")
        (tmp_path / "asked.yaml").write_text(plain)
        (ran,) = run_files([tmp_path / "asked.yaml"])
        assert not ran.problems, text
        for check, word in zip(ran.checks, ("SAMPLE", "COUNT"), strict=True):
            if check.got == NOTHING:
                ask = ask.replace(word, "")
            else:
                labels, value = check.got[0].rsplit(" ", 1)
                value = {"inf": ".Inf", "-inf": "-.Inf", "nan": ".NaN"}.get(value, value)
                ask = ask.replace(word, f"{{labels: '{labels}', value: {value}}}")
        files[f"{number}.yaml"] = ask
    said = both(tmp_path, files)
    assert all(said.values())


def test_what_is_no_notation_is_refused_by_both(tmp_path: Path) -> None:
    names = []
    for number, text in enumerate(NO_NOTATIONS):
        ask = f"tests:\n  - interval: 1m\n    input_series: [{{series: y, values: '{text}'}}]\n"
        (tmp_path / f"{number}.yaml").write_text(ask)
        names.append(f"{number}.yaml")
    assert not any(promtool(tmp_path, names).values())
    for name, file in zip(names, run_files([tmp_path / name for name in names]), strict=True):
        (problem,) = file.problems
        assert (problem.line, problem.file) == (3, str(tmp_path / name))


TEMPLATED = """\
groups:
  - name: g
    rules:
      - alert: A
        expr: y
        labels: {size: '{{ $value | humanize }}'}
        annotations:
          v: 'is {{ $value }}'
          h: '{{ humanize1024 .Value }}'
          d: '{{ $value | humanizeDuration }}'
          p: '{{ $value | humanizePercentage }}'
          f: '{{ printf "%.2f of %s" $value $labels.a }}'
          g: '{{ printf "%g|%v|%5.1f|%e|%%" $value $value $value $value }}'
          t: "{{ $labels.a | title }} a {{- .Labels.a | toUpper -}}  b{{ $labels.no }}{{/* c */}}"
"""


def test_templates_are_filled_alike(tmp_path: Path) -> None:
    (tmp_path / "templated.yaml").write_text(TEMPLATED)
    ask = "rule_files: [templated.yaml]\ntests:\n"
    values = ["0", "1000000", "123456789", "0.1", "1234567.5", "0.00001234", "3.5", "-3661"]
    values += ["90061", "12345.678", "1e-7", "999999", "2097152", "59.99995", "NaN", "-Inf", "1e20"]
    for value in values:
        ask += f"""\
  - interval: 1m
    input_series: [{{series: 'y{{a="foo bar-baz"}}', values: '{value}'}}]
    alert_rule_test: [{{alertname: A}}]
"""
    (tmp_path / "asked.yaml").write_text(ask)
    (ran,) = run_files([tmp_path / "asked.yaml"])
    done = subprocess.run(
        ["promtool", "test", "rules", "asked.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    theirs = [
        dict(re.findall(r'(\w+)="([^"]*)"', both))
        for both in re.findall(r"Annotations:(\{.*\})", done.stderr)
    ]
    ours = [
        dict(line.strip().split(": ", 1) for line in check.got[0].splitlines()[1:])
        for check in ran.checks
    ]
    assert len(ours) == len(values)
    for one, other, value in zip(ours, theirs, values, strict=True):
        if value in {"-Inf", "1e20"}:  # more seconds than Go's integers hold
            one.pop("d"), other.pop("d")
        assert one == other, value
