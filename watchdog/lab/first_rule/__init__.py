"""From a Prometheus to a first rule in shadow: looks, chooses, and says what to write."""

from watchdog.lab.first_rule.action import (
    EXAMPLE_FOLDER,
    EXAMPLE_PORT,
    Action,
    example_action,
    flag_action,
)
from watchdog.lab.first_rule.asking import NotSeen
from watchdog.lab.first_rule.choosing import HOUR, Candidate, Choice, Dismissed, Form, choose
from watchdog.lab.first_rule.looking import LOOKED_FOR, Seen, Wish, look
from watchdog.lab.first_rule.writing import (
    Plan,
    default_name,
    default_owner,
    rules_files,
    settings_text,
)

__all__ = [
    "EXAMPLE_FOLDER",
    "EXAMPLE_PORT",
    "HOUR",
    "LOOKED_FOR",
    "Action",
    "Candidate",
    "Choice",
    "Dismissed",
    "Form",
    "NotSeen",
    "Plan",
    "Seen",
    "Wish",
    "choose",
    "default_name",
    "default_owner",
    "example_action",
    "flag_action",
    "look",
    "rules_files",
    "settings_text",
]
