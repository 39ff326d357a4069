"""The journal on PostgreSQL, shared by daemons: one chain, whoever writes.

Laws: an append is durable or has not happened; it follows what stands at that moment, or is
refused; it is fenced by the epoch that leads, in the same transaction; what was sent once is never
there twice. Rows are made here, with their hashes, and the server takes them only behind the very
entry that they were made to follow. So a row's hash is the append's own name: when the answer is
lost, whether that hash stands at that place says whether it was done, and until then trying again
can only fail or find it. All of an append is one message to the server, which therefore never
waits in the middle of it for a client that is gone.

A store put back, or a standby that took over without the last commits, ends before what was
written: that is noticed at each new connection, and across restarts by the marker in the state
folder.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.core.entries import Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import (
    FIRST_EPOCH,
    JournalBroken,
    JournalCorrupt,
    JournalError,
    JournalLost,
    JournalMoved,
)
from watchdog.store import chain, schema
from watchdog.store import folder as files
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.ledger import Ledger
from watchdog.store.postgres.line import CALL_SECONDS, Session
from watchdog.store.postgres.trouble import CutOff
from watchdog.store.schema import Base, Link, Row

PRUNE_SECONDS = 10.0
_MOST_IN_DOUBT = 100

_APPEND = "SELECT slo_watchdog.append(%s, %s, %s, %s, %s, %s::text[], %s::text[], %s::text[])"
_RETIRE = "SELECT slo_watchdog.retire(%s, %s, %s, %s, %s, %s, %s)"


class PostgresJournal(Ledger):
    """`ports.Journal` on a server; beside it a state folder that this process holds alone.

    `notices` are things that a person should hear of but that stop nothing: log them once.
    """

    def __init__(self, address: Address, state_dir: Path) -> None:
        """What `open` does."""
        super().__init__(address, "journal", writes=True)
        self._mutex = threading.RLock()
        self._broken = ""
        self._end: Link | None = None
        self._sent: dict[str, tuple[chain.Batch, Link]] = {}  # first hash -> unknown outcome
        self._landed: dict[chain.Batch, tuple[Row, ...]] = {}
        self._marked_at = state_dir / files.SHARED_MARKER
        self.notices: list[str] = []
        with contextlib.ExitStack() as undo:
            undo.callback(self._line.close)
            undo.callback(files.FolderLock(state_dir).release)
            self._marker = files.Marker.open(self._marked_at)
            if self._marker is not None:
                undo.callback(self._marker.close)
            self._end = self._verified_end()
            if self._marker is None:
                self._marker = self._new_marker(self._end)
                undo.callback(self._marker.close)
            self._mark()
            self._undo = undo.pop_all()

    @classmethod
    def open(cls, address: Address, state_dir: Path) -> Self:
        """Hold the folder, reach the server, verify the whole chain, be ready to append.

        Raises JournalMissing, JournalBusy, JournalCorrupt, JournalTooNew, JournalLost or
        JournalBroken.
        """
        return cls(address, state_dir)

    @property
    def last(self) -> Link:
        """The newest entry that was read or written here."""
        assert self._end is not None, "open verified it"  # noqa: S101  # assertions stay on
        return self._end

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        """Entries above `after` in order, also what others wrote, each checked."""
        with self._guarded():
            self._catch_up()
        yield from super().read(after, limit)

    def append(
        self,
        entries: Sequence[Entry],
        at: Instant,
        *,
        epoch: int = FIRST_EPOCH,
        after: int | None = None,
    ) -> tuple[Recorded, ...]:
        """Write all of them durably in one transaction, or none. Raises JournalError."""
        batch = chain.batch_of(entries, at)
        if not entries:
            return ()
        with self._guarded():
            if self._sent or (after is not None and after > self.last.seq):
                self._catch_up()
            until = time.monotonic() + CALL_SECONDS
            while time.monotonic() < until:  # others may append at the same time
                if landed := self._landed.pop(batch, None):
                    return chain.as_recorded(landed, entries)
                if after is not None and after != self.last.seq:
                    raise JournalMoved(f"{self.place} ends with {self.last.seq}, not with {after}")
                with contextlib.suppress(JournalMoved):
                    return chain.as_recorded(self._put(batch, epoch), entries)
                self._catch_up()
            raise JournalLost(f"{self.place} is being written without a pause. Try again")

    def prune(
        self, upto_seq: int, snapshot: bytes, at: Instant, *, epoch: int = FIRST_EPOCH
    ) -> None:
        """Retire the entries up to and with `upto_seq`; `snapshot` is the state they led to.

        One transaction: the base and the rows change together or not at all. Raises ValueError
        where there is no such entry, JournalError where it cannot be written.
        """
        with self._guarded():
            held = [] if upto_seq <= self._base().seq else self._fetch(upto_seq - 1, 1)
            if not held or held[0].seq != upto_seq:
                raise ValueError(f"the journal has no entry {upto_seq} to retire up to")
            digest = schema.base_digest(upto_seq, held[0].hash, at, snapshot)
            base = Base(upto_seq, held[0].hash, at, snapshot, digest)
            values = [epoch, base.seq, base.hash, at.wall, at.steady, snapshot, digest]
            self._line.ask(lambda session: session.run(_RETIRE, values), PRUNE_SECONDS)

    def refill(self) -> bool:
        """There is no reserve: room on the server is the server's."""
        return True

    def close(self) -> None:
        """Never waits for the server."""
        self._broken = self._broken or f"{self.place} has been closed"
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- inside ------------------------------------------------------------------------------------

    def _put(self, batch: chain.Batch, epoch: int) -> tuple[Row, ...]:
        """Send it, to follow the end that is known here. Raises JournalError."""
        end = self.last
        rows = chain.rows_after(end, batch)
        at, texts = batch
        kinds, bodies = ([text[part] for text in texts] for part in (0, 1))
        values = [epoch, end.seq, end.hash, at.wall, at.steady, kinds, bodies]
        try:
            self._line.ask(lambda to: to.run(_APPEND, [*values, [row.hash for row in rows]]))
        except CutOff:
            if len(self._sent) < _MOST_IN_DOUBT:
                self._sent[rows[0].hash] = batch, end
                raise
            raise JournalBroken(f"{self.place}: too many appends without an answer") from None
        self._went_on(rows[-1].link)
        return rows

    def _catch_up(self) -> None:
        """Read what was written since, by others or by a message of ours whose answer was lost."""
        found = list(chain.walk(self._fetch, self._known(), self.last.seq, None, self.place))
        for number, row in enumerate(found):
            if row.hash in self._sent:
                batch, _ = self._sent[row.hash]
                self._landed[batch] = tuple(found[number : number + len(batch[1])])
        if found:
            self._went_on(found[-1].link)

    def _went_on(self, end: Link) -> None:
        """The chain goes on to `end`: what was to follow an earlier entry cannot come any more."""
        self._end = end
        self._sent = {key: one for key, one in self._sent.items() if one[1].seq >= end.seq}
        while len(self._landed) > _MOST_IN_DOUBT:
            del self._landed[next(iter(self._landed))]
        self._mark()

    def _known(self) -> Sequence[Link]:
        base = self._base()
        if self._end is not None and base.seq > self._end.seq:
            raise JournalBroken(
                f"{self.place}: entries up to {base.seq} were retired, and only {self._end.seq} "
                "were read here. A new start begins with what stands for them"
            )
        known = [Link(base.seq, base.hash)]
        return known if self._end is None else [*known, self._end]

    def _verified_end(self) -> Link:
        base = self._base()
        mark = None if self._marker is None else self._marker.read()
        start = [Link(base.seq, base.hash)]
        rows = chain.walk(self._fetch, start, base.seq, None, self.place)
        end = chain.verified_end(rows, base, mark, self.place)
        head = self._head()
        if head.seq < end.seq or (head.seq == end.seq and head != end):
            raise self.place.corrupt(
                f"it says that it ends with entry {head.seq}: {end.seq} is last"
            )
        return end

    def _prepare(self, session: Session) -> None:
        """Each new connection must lead to the journal that was read before, and not behind it."""
        super()._prepare(session)
        end = self._end
        if end is None or end.seq == 0:
            return
        row = session.one(
            "SELECT head.seq, base.seq, (SELECT hash FROM slo_watchdog.entries WHERE seq = %s) "
            "FROM slo_watchdog.head, slo_watchdog.base",
            [end.seq],
        )
        if row is None or row[0] < end.seq or (row[1] < end.seq and row[2] != end.hash):
            raise self.place.corrupt(
                f"the server that answers now does not hold entry {end.seq}, which had been "
                "written: it was put back, or a standby without the last commits took over"
            )

    def _new_marker(self, end: Link) -> files.Marker:
        files.Marker.create(self._marked_at, end)
        files.sync_folder(self._marked_at.parent)
        marker = files.Marker.open(self._marked_at)
        assert marker is not None, "made two lines above"  # noqa: S101  # assertions stay on
        return marker

    def _mark(self) -> None:
        """The entry stands on the server, so a disk here that fails is told and stops nothing."""
        assert self._marker is not None, "open made it"  # noqa: S101  # assertions stay on
        try:
            if self._marker.read() != self.last:
                self._marker.write(self.last)
        except JournalError as error:
            if str(error) not in self.notices:
                self.notices.append(str(error))

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """One call at a time; after what cannot be believed, none."""
        with self._mutex:
            if self._broken:
                raise JournalBroken(self._broken)
            try:
                yield
            except (JournalBroken, JournalCorrupt) as error:
                self._broken = str(error)
                raise
