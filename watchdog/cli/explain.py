"""The command `explain`: what a rule will do, before it is armed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from watchdog.cli.check import pairs
from watchdog.cli.exits import NOT_SO, REFUSED, WRONG_USAGE
from watchdog.cli.explain_page import show_explanation
from watchdog.cli.page import Page
from watchdog.cli.shared import AsJson, fail
from watchdog.core.naming import family_of
from watchdog.core.spec import Policy
from watchdog.lab.explain import Asked
from watchdog.lab.explain import explain as told_of
from watchdog.policy import load_folder
from watchdog.policy.check import environments_of
from watchdog.policy.shape import closest

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h|d))?\Z", re.ASCII)
_RATIO = re.compile(r"(\d+(?:\.\d+)?)(%?)\Z", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def explain(
    rule: Annotated[str, typer.Argument(help="The rule's name.")],
    rules: Annotated[Path, typer.Option(help="The rules folder.")] = Path("rules"),
    environment: Annotated[
        str | None, typer.Option(help="Which environment, where the folder names several.")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--var", help="NAME=VALUE, before the vars file's.")
    ] = None,
    traffic: Annotated[
        str | None, typer.Option(help="Events that the rule counts: 12/s, 600/m, 20000/d.")
    ] = None,
    base_rate: Annotated[
        str, typer.Option(help="The share of events that fails when all is in order: 0.01%.")
    ] = "0",
    ratio: Annotated[
        list[str] | None, typer.Option(help="An error ratio to tell of, like 5%; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """When a rule fires, when it is over, what it costs by then, how often by chance, what follows.

    The times come from formulae that are tested against the engine itself to within one interval.
    """
    rate = None if traffic is None else _rate(traffic)
    ratios = tuple(sorted(_ratio(text, "--ratio") for text in ratio or []))
    asked = Asked(rate, _ratio(base_rate, "--base-rate"), ratios)
    policy = _policy(rules, environment, pairs(variable))
    if rule not in policy.rules:
        family = family_of(rule)
        known = family != rule and family in policy.rules
        remedy = f"Explain its family: {family}" if known else closest(rule, policy.rules)
        fail(f"{rules} has no rule {rule}. {remedy}", REFUSED)
    told = told_of(policy, rule, asked)
    if as_json:
        print(json.dumps(_plain(asdict(told)), allow_nan=False))
    else:
        show_explanation(Page(), told)


def _policy(folder: Path, environment: str | None, variables: Mapping[str, str]) -> Policy:
    """The policy, or the end of the command with what is wrong with it."""
    shown = str(folder).rstrip("/") or "/"
    names = environments_of(folder)
    if environment is None and len(names) > 1:
        fail(f"{shown} names {', '.join(names)}. Say which: --environment {names[0]}", WRONG_USAGE)
    load = load_folder(folder, environment or names[0], variables=variables)
    if load.errors or load.policy is None:
        lines = [f"{shown}/{problem.text}" for problem in load.errors]
        fail("\n".join(lines) or f"{shown}: there are no rules", NOT_SO)
    return load.policy


def _rate(text: str) -> float:
    match = _RATE.match(text.replace(" ", ""))
    found = float(match[1]) / _SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < found <= 1e6:
        raise typer.BadParameter(f"{text!r}: write it like 12/s or 600/m", param_hint="--traffic")
    return found


def _ratio(text: str, option: str) -> float:
    match = _RATIO.match(text.replace(" ", ""))
    found = float(match[1]) / (100 if match[2] else 1) if match else math.inf
    if found > 1:
        raise typer.BadParameter(f"{text!r}: write it like 5% or 0.05", param_hint=option)
    return found


def _plain(value: Any) -> Any:
    """JSON knows no infinity: what never comes is null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
