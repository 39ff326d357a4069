"""Rules of others become rules of ours: what came over, what changed, what was dropped.

`importing.import_texts` is pure. It returns a file in our language, loaded once by the very loader
that will read it, and a report in which every field that did not come over as it was has its line.
`in_place` reads an alert where it stands. One file a format; the loader uses `in_place`, so this
page imports nothing.
"""
