"""Whole folders put in the place of others: staged beforehand, exchanged at once, never lost.

    layout     names: the work area beside the live folder, what lies in it, backups
    beneath    files in a tree, reached without following a link
    manifest   what a tree is made of, and the digest of that
    contents   the files' own digests, read anew or known by what the kernel says of the file
    fingerprint what the last look found, while nothing was written since
    proof      a generation's manifest, and the live tree held against it
    marker     which generation a tree is, told by the tree itself
    staging    a copy of a tree, whole and durable
    exchange   two folders change places; what the file system offers for it
    trees      of one live path: which is live, which comes in, which was displaced
    links      the same where the live path is a symbolic link
    keep       files that stay live across a swap
    aside      what was displaced: put aside, found again, cleared away
    swap       forward and back, each an "ensure" that may be repeated at any time
    standing   whether a swap took place, changing nothing
    settle     after a proven success
    ground     what must hold of the folders before anything else
    facts      what a tree tells of itself
    readiness  would it work, and what would be restored
    worker     a process of its own does all of this; `adapter` starts it and ends it

Nothing is imported here: the worker must start fast.
"""
