"""The pure core: what is true, what follows from it, and why.

Nothing in here does I/O or reads a clock: the present is a parameter (`Instant`) everywhere, so
that the same inputs give the same decisions at night, in a test, in a simulation and in a replay.
Imports the standard library, the PromQL parser, and its own modules; nothing else.
"""
