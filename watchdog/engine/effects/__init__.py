"""What is done for one intent, from its first look to the proof.

ending.py     how it may end
workbench.py  what it is done with: the ports, the record, the clock
setting.py    one change of a target that says itself how it stands: a flag, a service
steps.py      one step at a time, on the record before and after
replacing.py  several steps: a tree, a system; with its way back
"""
