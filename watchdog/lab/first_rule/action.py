"""The first action: a flag of a real flag service, or an example that is called one.

Both are whole: a change, its undo, and a read-back by another way. The example changes one file in
a folder of its own, and is read back over HTTP where somebody serves that folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from watchdog.policy.importers.writing import scalar

EXAMPLE_PORT = 9899
EXAMPLE_FOLDER = "example-flag"


@dataclass(frozen=True, slots=True)
class Action:
    """`text` is what stands below `actions:`; `files` are further ones, beside the rules folder."""

    name: str
    text: str
    files: dict[str, str] = field(default_factory=dict)
    read_back: str = ""  # an address that must answer already

    @property
    def example(self) -> bool:
        return bool(self.files)


def flag_action(url: str, flag: str, secret: str | None) -> Action:
    """Switch a flag off by PUT {"enabled": false}, and read it back by GET at the same address."""
    name = _named(flag)
    address = json.dumps(url)
    headers = ""
    if secret is not None:
        token = f'{{Authorization: {{secret: {scalar(secret)}, prefix: "Bearer "}}}}'
        headers = f"        headers: {token}\n"
    text = f"""\
  # The flag {flag} goes off. The answer to the call is a claim; what is served, read back, is the
  # proof. Where your flags are served by another way than they are changed, read them back there.
  {name}:
    flag: {json.dumps(flag)}
    read_back: {{get: {address}}}
    do:
      call:
        method: PUT
        url: {address}
{headers}        json: {{enabled: false}}
      expect: "enabled == `false`"
    undo:                              # by a person only
      call:
        method: PUT
        url: {address}
{headers}        json: {{enabled: true}}
      expect: "enabled == `true`"
    # contained_when: what proves that it helped, beside the rule's own recovery
    # resume_when: what must hold before a person may undo it
    deadline: 10s                      # until the read-back shows it
    host: any
"""
    return Action(name, text, read_back=url)


def example_action(folder: str) -> Action:
    """Off and on by copying a file. `folder` is the absolute path of the example."""
    cwd = json.dumps(folder)
    text = f"""\
  # AN EXAMPLE, to be exchanged for what really stops the harm. It copies one file over another
  # in a folder made for this, and is read back from whoever serves that folder; nobody else
  # notices. Put in: the flag's name, how your flag service is told (`call:` or `run:`), and
  # `read_back:`, where the flag is served to your application. docs/rules.md has every word.
  example-switch:
    flag: example
    read_back: {{get: "http://127.0.0.1:{EXAMPLE_PORT}/flag.json"}}
    do:
      run: [cp, "off.json", "flag.json"]
      cwd: {cwd}
      env: [PATH]
      expect: "enabled == `false`"
    undo:                              # by a person only
      run: [cp, "on.json", "flag.json"]
      cwd: {cwd}
      env: [PATH]
      expect: "enabled == `true`"
    deadline: 10s                      # until the read-back shows it
    host: any
"""
    on, off = '{"enabled": true}\n', '{"enabled": false}\n'
    files = {"flag.json": on, "on.json": on, "off.json": off}
    return Action(
        "example-switch", text, {f"{EXAMPLE_FOLDER}/{name}": body for name, body in files.items()}
    )


def _named(flag: str) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in flag.lower()).strip("-")
    return f"switch-off-{plain}"[:63].rstrip("-")
