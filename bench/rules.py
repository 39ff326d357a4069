"""A hundred rules as an organisation might have them, for what they cost in time and memory.

Thirty are 30-day objectives with windows up to the whole period; no two rules ask the same, so
nothing is shared among them but the samples.
"""

from __future__ import annotations

from typing import Any

SOURCE = "app"
SLOS = 30
_RATIOS = 40
_EXPRESSIONS = 20
ALL = 100

_BURN = [
    {"budget": "2%", "long": "1h", "short": "5m"},
    {"budget": "5%", "long": "6h", "short": "30m"},
    {"budget": "10%", "long": "3d", "short": "6h"},
    {"budget": "100%", "long": "30d", "short": "3d"},
]


def hundred_rules() -> dict[str, Any]:
    """Name to rule; the first SLOS of them are the 30-day objectives. All only observe."""
    return {f"rule-{number:03}": _rule(number) for number in range(ALL)}


def _rule(number: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"severity": "P2", "source": SOURCE, "mode": "observe"}
    counters = {
        "bad": f'redemption_requests_total{{code=~"5..|x{number}"}}',
        "total": "redemption_requests_total",
    }
    if number < SLOS:
        return rule | {"slo": {"objective": "99.9%", "period": "30d", **counters, "burn": _BURN}}
    if number < SLOS + _RATIOS:
        bound = f"> {number % 20 + 1}%"
        return rule | {"threshold": {**counters, "over": "10m", "breach_when": bound}, "for": "1m"}
    if number < SLOS + _RATIOS + _EXPRESSIONS:
        expression = f"sum by (code) (rate(redemption_requests_total[2m])) * {number}"
        return rule | {"threshold": {"expr": expression, "breach_when": "> 1000000"}}
    if number < ALL - 1:
        expression = f"max(redemption_quote_seconds_count) + {number}"
        return rule | {"integrity": {"expr": expression, "breach_when": "< 1"}, "for": "1m"}
    return {"severity": "P2", "liveness": {"up": SOURCE}, "for": "1m", "mode": "observe"}
