"""Where the engine meets the world: what it asks of adapters, and what they may answer.

Reading and changing are different ports, so that nothing that only looks can ever change a
target. Outcomes are returned as frozen values with a reason; these errors alone are raised:

    PortError
    |-- JournalError            the record cannot be read or written: no action may start
    |   |-- JournalMissing      there is none; only `slo-watchdog init` makes one
    |   |-- JournalBusy         another process holds the state folder
    |   |-- JournalCorrupt      a row does not follow from the one before, or the file is damaged
    |   |-- JournalTooNew       written by a newer schema than this program knows
    |   |-- JournalFull         no room to write, also after the reserve was freed
    |   |-- JournalBroken       the disk failed or is read-only: this process must end, a new one
    |   |                       opens the journal afresh and sees what is truly there
    |   |-- JournalLost         the shared store does not answer: observe, page and try again. What
    |   |                       was being appended may be there; the same append again never doubles
    |   |-- JournalMoved        others have appended since: nothing was written; read on first
    |   `-- JournalDeposed      another epoch has begun, or the lease ran out: nothing was written
    `-- SecretMissing           a named credential cannot be read
"""

from __future__ import annotations

from watchdog.ports.acting import Actuator as Actuator
from watchdog.ports.acting import Attempt as Attempt
from watchdog.ports.acting import Attempted as Attempted
from watchdog.ports.acting import Readiness as Readiness
from watchdog.ports.errors import TRIED_AGAIN as TRIED_AGAIN
from watchdog.ports.errors import JournalBroken as JournalBroken
from watchdog.ports.errors import JournalBusy as JournalBusy
from watchdog.ports.errors import JournalCorrupt as JournalCorrupt
from watchdog.ports.errors import JournalDeposed as JournalDeposed
from watchdog.ports.errors import JournalError as JournalError
from watchdog.ports.errors import JournalFull as JournalFull
from watchdog.ports.errors import JournalLost as JournalLost
from watchdog.ports.errors import JournalMissing as JournalMissing
from watchdog.ports.errors import JournalMoved as JournalMoved
from watchdog.ports.errors import JournalTooNew as JournalTooNew
from watchdog.ports.errors import PortError as PortError
from watchdog.ports.errors import SecretMissing as SecretMissing
from watchdog.ports.errors import told_at_the_end as told_at_the_end
from watchdog.ports.keeping import FIRST_EPOCH as FIRST_EPOCH
from watchdog.ports.keeping import Errand as Errand
from watchdog.ports.keeping import History as History
from watchdog.ports.keeping import Journal as Journal
from watchdog.ports.keeping import Lead as Lead
from watchdog.ports.keeping import Lease as Lease
from watchdog.ports.keeping import Peers as Peers
from watchdog.ports.keeping import Presence as Presence
from watchdog.ports.looking import Alertmanagers as Alertmanagers
from watchdog.ports.looking import AlertSink as AlertSink
from watchdog.ports.looking import Clock as Clock
from watchdog.ports.looking import MetricSource as MetricSource
from watchdog.ports.looking import PastSource as PastSource
from watchdog.ports.looking import Probe as Probe
from watchdog.ports.looking import Secrets as Secrets
from watchdog.ports.looking import SilencesLook as SilencesLook
from watchdog.ports.looking import SilenceSource as SilenceSource
from watchdog.ports.showing import IncidentSheet as IncidentSheet
from watchdog.ports.showing import Shown as Shown
from watchdog.ports.showing import StatusBoard as StatusBoard
from watchdog.ports.showing import StatusSheet as StatusSheet
from watchdog.ports.telling import Delivered as Delivered
from watchdog.ports.telling import Delivery as Delivery
from watchdog.ports.telling import Letter as Letter
from watchdog.ports.telling import Notifier as Notifier
from watchdog.ports.telling import Phase as Phase
