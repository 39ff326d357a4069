"""Takes the power out of what some chats would make of plain text: pings, masked links, tags.

Letters are plain text. Apprise escapes it for some services; others read it as markup whatever
it is called (Discord, Mattermost, Zulip), or drop what looks like a tag (Telegram). So what a
metric, a command or an alert says could wake a whole company, hide half a sentence, or show one
address and lead to another. An invisible space inside of a mark keeps every letter readable.
"""

from __future__ import annotations

import re

BREAK = "\u200b"
"""A space without width."""

_MARKS = re.compile(
    r"""
      (?<!\w) @ (?=\S)              # @everyone, @**all**, and no ada@example.org
    | <  (?=[\w/!@#&?])             # <!channel>, <@U1>, <b>, </b>, and no "is 0.5, < 1"
    | \] (?=[(\[:])                 # [all is well](somewhere else)
    | \| (?=\|)                     # ||hidden||
    | ~  (?=~)                      # ~~struck out~~
    """,
    re.VERBOSE,
)


def disarmed(text: str) -> str:
    """The same to the eye."""
    return _MARKS.sub(lambda found: found.group() + BREAK, text)
