"""Reads the text of a regular expression in RE2's syntax into a tree.

Only constructs whose meaning is certain are read; each other one is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchdog.core.promql.faults import ParseFault, Unsupported

Test = Callable[[str], bool]
"""Whether one character is meant."""

_MAX_REPEAT = 1000  # RE2's own limit
_MAX_DEPTH = 50
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_DIGITS = frozenset("0123456789")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_HEX = frozenset("0123456789abcdefABCDEF")
_CLASSES = {
    "d": _DIGITS,
    "s": frozenset("\t\n\f\r "),
    "w": _DIGITS | _LOWER | _UPPER | {"_"},
}
_POSIX = {
    "alnum": _DIGITS | _LOWER | _UPPER,
    "alpha": _LOWER | _UPPER,
    "digit": _DIGITS,
    "lower": _LOWER,
    "upper": _UPPER,
    "space": frozenset("\t\n\v\f\r "),
    "blank": frozenset("\t "),
    "punct": frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "word": _CLASSES["w"],
    "xdigit": _HEX,
}


@dataclass(frozen=True, slots=True)
class Char:
    test: Test


@dataclass(frozen=True, slots=True)
class Edge:
    """Holds at the value's beginning or at its end, and takes no character."""

    end: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    tree: Tree
    least: int
    most: int | None


Tree = Char | Edge | Sequence | Choice | Repeat


def _any(_char: str) -> bool:
    return True


def _folded(test: Test) -> Test:
    """Whatever the case: the character itself, or in lower or upper case."""

    def folding(char: str) -> bool:
        return test(char) or test(char.lower()) or test(char.upper())

    return folding


class Reader:
    """A recursive descent through one pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.fold = False

    def whole(self) -> Tree:
        tree = self.choice()
        if self.at < len(self.text):
            raise self._wrong("a `)` too many")
        return tree

    def choice(self) -> Tree:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._unsupported("a group this deep")
        fold = self.fold
        options = [self.sequence()]
        while self._take("|"):
            options.append(self.sequence())
        self.fold = fold
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Tree:
        parts: list[Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            atom = self.atom()
            if atom is not None:
                parts.append(self.repeated(atom))
        return Sequence(tuple(parts))

    def repeated(self, atom: Tree) -> Tree:
        bounds = self._bounds()
        if bounds is None:
            return atom
        least, most = bounds
        self._take("?")  # greedy or not is the same where the whole value must match
        if self._bounds() is not None:
            raise self._wrong("one repetition directly after another")
        return Repeat(atom, least, most)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(sign):
                return least, most
        end = self.text.find("}", self.at)
        if not self._sees("{") or end < 0:
            return None
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not (set(low) <= _DIGITS and set(high) <= _DIGITS and low):
            return None  # not a repetition: the brace means itself
        self.at = end + 1
        least_count = int(low[:5])
        most_count = int(high[:5]) if high else (None if comma else least_count)
        if max(least_count, most_count or 0) > _MAX_REPEAT:
            raise self._wrong(f"a repetition above {_MAX_REPEAT}")
        if most_count is not None and most_count < least_count:
            raise self._wrong("a repetition that ends below its beginning")
        return least_count, most_count

    def atom(self) -> Tree | None:
        char = self.text[self.at]
        self.at += 1
        if char == "(":
            return self._group()
        if char in "[.":
            return Char(self._set() if char == "[" else _any)
        if char in "^$":
            return Edge(end=char == "$")
        if char in "*+?":
            raise self._wrong("a repetition of nothing")
        if char == "\\":
            if self.at < len(self.text) and self.text[self.at] in "Az":
                self.at += 1
                return Edge(end=self.text[self.at - 1] == "z")
            return self._char(self._escape())
        return self._char(frozenset(char).__contains__)

    def _char(self, test: Test) -> Char:
        return Char(_folded(test) if self.fold else test)

    def _group(self) -> Tree | None:
        fold = self.fold
        if self._take("?"):
            if self._take("P<"):
                end = self.text.find(">", self.at)
                if end < 0:
                    raise self._wrong("a group name without its end")
                self.at = end + 1
            elif not self._take(":") and self._flags():
                return None  # (?i) holds up to the end of the group around it
        tree = self.choice()
        self.fold = fold
        if not self._take(")"):
            raise self._wrong("a `(` that is never closed")
        return tree

    def _flags(self) -> bool:
        """Read flags; True when they stand alone, `(?i)`, and False before a group, `(?i:`."""
        on = True
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char in ":)":
                return char == ")"
            if char == "-":
                on = False
            elif char == "i":
                if not self.text.isascii():
                    raise self._unsupported("(?i) with letters beyond ASCII")
                self.fold = on
            elif char != "s" or not on:  # `.` matches every character in any case
                raise self._unsupported(f"(?{char}")
        raise self._wrong("a `(` that is never closed")

    def _escape(self) -> Test:
        if self.at >= len(self.text):
            raise self._wrong("a backslash at the end")
        char = self.text[self.at]
        self.at += 1
        if char.lower() in _CLASSES:
            members = _CLASSES[char.lower()]
            return members.__contains__ if char.islower() else lambda c: c not in members
        return frozenset(self._escaped(char)).__contains__

    def _escaped(self, char: str) -> str:
        """The one character that an escape stands for."""
        if char in _ESCAPED:
            return _ESCAPED[char]
        if char == "x":
            if self._take("{"):
                end = self.text.find("}", self.at)
                digits, self.at = self.text[self.at : max(end, self.at)], end + 1
            else:
                digits = self.text[self.at : self.at + 2]
                self.at += 2
                end = 0 if len(digits) == 2 else -1
            if end < 0 or not digits or not set(digits) <= _HEX or int(digits, 16) > 0x10FFFF:
                raise self._wrong("a malformed \\x")
            return chr(int(digits, 16))
        if char.isascii() and not char.isalnum():
            return char
        raise self._unsupported(f"\\{char}")

    def _set(self) -> Test:
        negated = self._take("^")
        tests: list[Test] = []
        first = True
        while first or not self._sees("]"):
            first = False
            tests.append(self._member())
        self.at += 1
        alone = tuple(tests)

        def member(char: str) -> bool:
            return any(test(char) for test in alone)

        wide = _folded(member) if self.fold else member
        return (lambda char: not wide(char)) if negated else wide

    def _member(self) -> Test:
        if self._take("[:"):
            end = self.text.find(":]", self.at)
            inverse = self._take("^")
            members = _POSIX.get(self.text[self.at : max(end, self.at)])
            if members is None:
                raise self._unsupported("this [: :] class")
            self.at = end + 2
            return (lambda c: c not in members) if inverse else members.__contains__
        low = self._one()
        if not isinstance(low, str):
            return low
        ahead = self.text[self.at : self.at + 2]
        if len(ahead) < 2 or ahead[0] != "-" or ahead[1] == "]":
            return frozenset(low).__contains__
        self.at += 1
        high = self._one()
        if not isinstance(high, str) or high < low:
            raise self._wrong("a malformed range in [ ]")
        return lambda char: low <= char <= high

    def _one(self) -> str | Test:
        """One character of a set, or a whole class such as `[:alpha:]` in its short form."""
        if self.at >= len(self.text):
            raise self._wrong("a `[` that is never closed")
        char = self.text[self.at]
        self.at += 1
        if char != "\\":
            return char
        if self.text[self.at : self.at + 1].lower() in _CLASSES:
            return self._escape()
        self.at += 1
        return self._escaped(self.text[self.at - 1 : self.at] or "z")

    def _sees(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def _take(self, text: str) -> bool:
        if not self._sees(text):
            return False
        self.at += len(text)
        return True

    def _wrong(self, what: str) -> ParseFault:
        return ParseFault(f"the regular expression {self.text!r} has {what}")

    def _unsupported(self, what: str) -> Unsupported:
        return Unsupported(f"the regular expression construct {what}", self.text)
