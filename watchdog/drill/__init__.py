"""Drills: the real path of a rollback, practised end to end where nothing can be hurt.

Laws
* What is practised is real: the daemon as a process of its own, the rules' own text, its runner,
  adapters, journal, read-backs and orders. Made up is the target alone (the sandbox), and the
  trouble that is put into it.
* Nothing of production is touched: state, rules, control socket, credentials and targets are the
  drill's own, in a folder that is gone afterwards; and before its daemon starts, everything that
  its policy names is looked at, and what lies outside of the target refuses the drill (`fence.py`).
* Times are those of the drill's journal and of the target's own ledger, not of who looks on.
* It has passed when every stage was reached within its bound and all else of the target is as it
  was before. Whatever else happens, a drill that was begun ends with a document that says how.
"""
