"""How soon a page needs somebody."""

from __future__ import annotations

from enum import StrEnum


class Urgency(StrEnum):
    NOW = "now"  # somebody must look
    SOON = "soon"  # in working hours; or it acted, and whether that helps is not known yet
    NEWS = "news"  # it went well, or people asked not to be called
