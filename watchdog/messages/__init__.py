"""The texts that people are told: a template for each topic, filled from the record.

The law: a template is Jinja2 in a sandbox that has neither calls of its own nor endless loops, so
that a text can neither run anything nor hold anything up. It begins with `Subject: ...`, then an
empty line, then the body. One that cannot be filled gives way to the plain words of the note:
nobody stays untold because of a text. Pure: nothing here reads or writes.
"""

from __future__ import annotations

from watchdog.messages.filling import FIELDS as FIELDS
from watchdog.messages.filling import LONGEST_BODY as LONGEST_BODY
from watchdog.messages.filling import LONGEST_SUBJECT as LONGEST_SUBJECT
from watchdog.messages.filling import PUBLIC as PUBLIC
from watchdog.messages.filling import STATUS as STATUS
from watchdog.messages.filling import TEMPLATES as TEMPLATES
from watchdog.messages.filling import Message as Message
from watchdog.messages.filling import compose as compose
from watchdog.messages.filling import fields_of as fields_of
from watchdog.messages.sandbox import TemplateProblem as TemplateProblem
from watchdog.messages.sandbox import check as check
