"""Numbers as our rule files write them; None for one that they cannot say."""

from __future__ import annotations

import re
from decimal import Decimal

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?\Z", re.ASCII)


def decimal_text(number: Decimal) -> str | None:
    if not number.is_finite() or number < 0 or number.adjusted() > 15:
        return None
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if _NUMBER.match(text or "0") else None


def percent_text(ratio: Decimal) -> str | None:
    text = decimal_text(ratio * 100)
    return None if text is None else f"{text}%"
