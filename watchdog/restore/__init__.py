"""The privileged helper of a system restore: `slo-watchdog-restore@<id>.service` runs it as root.

The law:

* Its only input is an id. What that id's request says counts for nothing until enough distinct
  people, none of them the requester, have signed exactly that text with keys that root's own
  file names, and until root's own file allows the root, the archive and the services.
* Nothing is stopped before everything has been checked: every member of the archive, the room,
  the tree it goes over, and a whole copy of it, unpacked beside and compared with the manifest.
* Every step is an "ensure" with a durable mark: done again after a death it changes nothing twice.
  What will be overwritten is saved first, so that every restore can be taken back.
* The watchdog's own files are never overwritten.

It imports the standard library and nothing else, so that it can be audited by itself: read
`run`, then `steps`, then what they call. An import contract holds this.

    approval   who signed, and whether that suffices        gate      all that is asked of a request
    tape       the archive's bytes, strictly read           members   what no archive may hold
    manifest   what `anchor record` knows of an archive     staging   unpacked beside, and compared
    survey     the live tree under it, before               saving    what will be overwritten
    placing    renamed into place, by folder handles        services  which run, stopped, started
    state      durable marks, progress, spent nonces        trust     whose files are root's
"""
