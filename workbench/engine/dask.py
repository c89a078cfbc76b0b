"""Run each job on a worker of a Dask cluster: Dask only chooses where, a supervisor there starts the child.

Owner and workers share the folder of the jobs under the same path. A job outlives the owner; a worker
that dies takes its child along, and the job is tried again elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.engine import child
from workbench.engine.local import Ended, Handle, LocalExecutor
from workbench.engine.process import read_json, write_json
from workbench.engine.supervisor import CLAIM, ENDED, LEASE, claim, supervise

if TYPE_CHECKING:
    from distributed import Client, Future

SUBMITTED = "cluster.json"
LEASE_SECONDS = 60.0
LOOK_SECONDS = 0.25
# The folder may be on another machine: what a worker wrote last may come after Dask's word that it is done.
GRACE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
KNOWN_SECONDS = 1.0
OWNER = "the owner"

_log = logging.getLogger(__name__)


class DaskExecutor:
    """Start attempts on the cluster at `address`."""

    name = "dask"
    cards = None

    def __init__(self, address: str, *, weigh: bool = False) -> None:
        self.address = address
        self._weigh = weigh
        self._client: Client | None = None
        self._fault = "connecting"
        self._connecting: threading.Thread | None = None
        self._known: tuple[float, dict[str, Any]] = (float("-inf"), {})

    def away(self) -> str | None:
        """Return why no job can be started now, or None; never waits for a scheduler that is not there."""
        client = self._client
        if client is None or client.status != "running":
            self._connect()
            return f"Waits for the cluster at {self.address}: {self._fault}."
        if not self._workers():
            return f"Waits for the cluster at {self.address}: it has no worker."
        return None

    def offers(self, resource: str) -> bool:
        """Return whether some worker of the cluster declares a resource."""
        return any(told.get("resources", {}).get(resource) for told in self._workers().values())

    def told(self) -> str:
        """Return in words where attempts run."""
        return self.away() or f"On the cluster at {self.address}, {len(self._workers())} worker(s)."

    def start(self, folder: Path) -> DaskHandle:
        """Hand an attempt to the cluster."""
        from distributed import fire_and_forget

        client = self._client
        if client is None:
            raise ConnectionError(f"The cluster at {self.address} is not connected.")
        needs = (read_json(folder / child.TASK) or {}).get("resources") or {}
        key = f"workbench-{folder.parent.name}-{folder.name}-{zlib.crc32(str(folder).encode()):08x}"
        write_json(folder / SUBMITTED, {"key": key, "scheduler": self.address, "resources": needs})
        future = client.submit(
            supervise,
            str(folder),
            slots=self._slots(),
            weigh=self._weigh,
            key=key,
            retries=0,
            pure=False,
            resources=needs or None,
        )
        fire_and_forget(future)
        return DaskHandle(self, folder, future, needs)

    def reattach(self, folder: Path) -> Handle | None:
        """Return what is known of an attempt that an earlier owner handed over, here or on its own machine."""
        told = read_json(folder / SUBMITTED)
        if told is None:
            return LocalExecutor().reattach(folder)
        # Nobody knows whether the scheduler still has it: what was not begun is not begun any more.
        found = DaskHandle(self, folder, None, told.get("resources") or {})
        found.given_up = claim(folder, OWNER)
        return found

    def close(self) -> None:
        """Leave the cluster; what runs there goes on."""
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)

    def future_of(self, folder: Path) -> Future | None:
        """Return Dask's own word on an attempt, once there is a connection."""
        from distributed import Future

        client, told = self._client, read_json(folder / SUBMITTED)
        return Future(told["key"], client) if client is not None and client.status == "running" and told else None

    def connected(self) -> bool:
        """Return whether the scheduler answers."""
        return self._client is not None and self._client.status == "running"

    def _connect(self) -> None:
        if self._connecting is None or not self._connecting.is_alive():
            self._connecting = threading.Thread(target=self._try, name="cluster-connection", daemon=True)
            self._connecting.start()

    def _try(self) -> None:
        try:
            from distributed import Client

            old, self._client = self._client, None
            if old is not None:
                old.close(timeout=1)
            self._client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False, name="workbench")
            self._fault = "connecting"
        except ModuleNotFoundError:
            self._fault = "distributed is not installed, add the extra [dask]"
        except Exception as error:  # noqa: BLE001  whatever it is, the job waits and its words say so
            fault = f"nobody answers there ({type(error).__name__})"
            if fault != self._fault:
                _log.warning("The cluster at %s does not answer: %s", self.address, error)
            self._fault = fault

    def _workers(self) -> dict[str, Any]:
        client = self._client
        try:
            return (
                client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=CONNECT_SECONDS)["workers"]
                if client
                else {}
            )
        except Exception as error:  # noqa: BLE001  a scheduler that just went away has no workers
            _log.warning("The cluster at %s does not answer: %s", self.address, error)
            return {}

    def _slots(self) -> int:
        """Return the most jobs that may run on one machine of the cluster."""
        hosts: dict[str, int] = {}
        for told in self._workers().values():
            hosts[told["host"]] = hosts.get(told["host"], 0) + int(told["nthreads"])
        return max(hosts.values(), default=1)


class DaskHandle:
    """An attempt on the cluster, seen through its folder."""

    pid = 0

    def __init__(self, executor: DaskExecutor, folder: Path, future: Future | None, needs: dict[str, Any]) -> None:
        self._executor = executor
        self._folder = folder
        self._future = future
        self._lease: dict[str, Any] | None = None
        self._heard = self._looked = time.monotonic()
        self._done_since: float | None = None
        self.given_up = False
        wanted = ", ".join(f"{name}: {count:g}" for name, count in needs.items())
        self.word = "Waits for a free worker of the cluster" + (f" with {wanted}" if wanted else "")

    def poll(self) -> Ended | None:
        """Return how the child ended, or None while it runs or waits for a worker."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return None
        self._looked = now
        if told := read_json(self._folder / ENDED):
            return Ended(told.get("code"))
        if not (self._folder / CLAIM).exists():
            self._heard = now
            return self._unclaimed()
        if (read_json(self._folder / CLAIM) or {}).get("by") == OWNER:
            return Ended(None, lost=self.given_up)
        lease = read_json(self._folder / LEASE)
        if lease != self._lease:
            self._lease, self._heard = lease, now
        return self._lost() if now - self._heard >= LEASE_SECONDS or self._over(now) else None

    def signal(self, number: int) -> None:
        """Ask the supervisor to send a signal."""
        (self._folder / f"signal-{int(number)}").touch()

    def kill(self) -> bool:
        """Ask the supervisor to kill the child, or see to it that none is started; return whether it has ended."""
        if claim(self._folder, OWNER):
            return True
        self.signal(9)
        return (self._folder / ENDED).exists()

    def memory(self) -> int:
        """Return the bytes of memory that the supervisor told last."""
        return int((self._lease or {}).get("memory") or 0)

    def _unclaimed(self) -> Ended | None:
        if (self._folder / child.CANCEL).exists() and claim(self._folder, OWNER):
            if self._future is not None:
                self._future.cancel()
            return Ended(None)
        if self._future is not None and self._future.status == "error":
            error = self._future.exception(timeout=CONNECT_SECONDS)
            if claim(self._folder, OWNER):
                killed = type(error).__name__ == "KilledWorker"
                return Ended(None, lost=killed, fault=None if killed else f"{type(error).__name__}: {error}")
        return None

    def _over(self, now: float) -> bool:
        """Return whether the supervisor is gone without a word: its task ended or was run a second time."""
        if not self._executor.connected():
            self._done_since = None
            return False
        if self._future is None:
            self._future = self._executor.future_of(self._folder)
        if self._future is None or self._future.status not in ("finished", "error"):
            self._done_since = None
            return False
        self._done_since = self._done_since or now
        return now - self._done_since >= GRACE_SECONDS

    def _lost(self) -> Ended:
        """Give the attempt up; should its child live on beyond our sight, it is told to end."""
        (self._folder / child.CANCEL).touch()
        self.signal(9)
        return Ended(None, lost=True)
