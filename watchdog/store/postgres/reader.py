"""Looking into the shared journal from a command: read-only, also on a standby, beside daemons."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from watchdog.store.postgres.address import Address
from watchdog.store.postgres.ledger import Ledger


class PostgresReader(Ledger):
    """`read`, `base` and `verify` of `PostgresJournal`, each asking the server anew."""

    def __init__(self, address: Address) -> None:
        """Raises JournalMissing, JournalTooNew, JournalCorrupt or JournalLost."""
        super().__init__(address, "reader", writes=False)
        try:
            self._base()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
