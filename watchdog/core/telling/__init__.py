"""Telling people: who they are, what they are still to be told, by which lines, and what it says.

Pure, as all of `core`. What is told decides nothing; a page is an entry like any other, and from it
follows everything here.
"""
