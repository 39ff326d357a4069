"""Whole folders put in the place of others: staged beforehand, exchanged at once, never lost.

    layout     names: the work area beside the live folder, what lies in it, backups
    beneath    files in a tree, reached without following a link
    manifest   what a tree is made of, and the digest of that
    contents   the files' own digests, read anew or known by what the kernel says of the file
    marker     which generation a tree is, told by the tree itself
    staging    a copy of a tree, whole and durable
    exchange   two folders change places; what the file system offers for it
    links      the same where the live path is a symbolic link
    keep       files that stay live across a swap
    aside      what was displaced: put aside, found again, cleared away
    swap       forward and back, each an "ensure" that may be repeated at any time
    settle     after a proven success
    readiness  would it work, and what would be restored
    worker     a process of its own does all of this; `adapter` starts it and ends it

Nothing is imported here: the worker must start fast.
"""
