"""Columns of counts: four bytes each while all are whole numbers that fit, eight from then on.

Counts are whole numbers nearly always, and a month of buckets is long. Nothing is ever rounded to
fit: a column that meets a fraction, or more than fits, is made wide first. So a month of fractions
takes more room than one of whole numbers (docs/adr/0015).
"""

from __future__ import annotations

from array import array
from typing import TypeAlias

NARROW, WIDE = "i", "d"
KINDS = frozenset({NARROW, WIDE})

_MOST = 2**31 - 1

Column: TypeAlias = "array[float]"


def zeros(length: int, kind: str = NARROW) -> Column:
    """A column of zeros."""
    column: Column = array(kind)
    column.frombytes(bytes(column.itemsize * length))
    return column


def put(column: Column, slot: int, value: float) -> Column:
    """The column with this value in it; a wide one in its place where it had to be."""
    if column.typecode == NARROW:
        if -_MOST <= value <= _MOST and value == int(value):
            column[slot] = int(value)
            return column
        column = array(WIDE, column)
    column[slot] = value
    return column


def narrowed(column: Column) -> Column:
    """The same numbers in a narrow column, where they fit."""
    narrow: Column = array(NARROW)
    try:
        narrow.extend(map(int, column))
    except (OverflowError, ValueError):
        return column
    return narrow if narrow == column else column
