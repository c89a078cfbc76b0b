"""Who owns this file? The sidecar `<database>.server.json` says it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from workbench.client.certificates import trusted

API_VERSION = "1"
DEFAULT_PREFIX = "/api/v1"


@dataclass(frozen=True)
class Sidecar:
    """Where the owner of a database file answers; the token lets its user in."""

    url: str
    token: str
    pid: int
    started: float
    api_version: str = API_VERSION


def sidecar_path(database: str | os.PathLike[str]) -> Path:
    """Return the path of the sidecar of a database file."""
    return Path(os.path.realpath(database) + ".server.json")


def announce(database: str | os.PathLike[str], *, url: str, token: str) -> Sidecar:
    """Write the sidecar, readable by its owner alone, by renaming a finished file."""
    sidecar = Sidecar(url=url, token=token, pid=os.getpid(), started=psutil.Process().create_time())
    path = sidecar_path(database)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(sidecar), file)
    os.replace(draft, path)
    return sidecar


def withdraw(database: str | os.PathLike[str]) -> None:
    """Remove the sidecar if this process wrote it."""
    found = read(database)
    if found is not None and found.pid == os.getpid():
        sidecar_path(database).unlink(missing_ok=True)


def read(database: str | os.PathLike[str]) -> Sidecar | None:
    """Return the sidecar, or None when there is none that can be read."""
    try:
        return Sidecar(**json.loads(sidecar_path(database).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def alive(sidecar: Sidecar) -> bool:
    """Return True when the process that wrote the sidecar still runs; a reused pid is not it."""
    try:
        return abs(psutil.Process(sidecar.pid).create_time() - sidecar.started) < 1
    except psutil.Error:
        return False


def answers(sidecar: Sidecar, *, timeout: float = 2.0) -> bool:
    """Return True when the owner answers on its address."""
    try:
        headers = {"Authorization": f"Bearer {sidecar.token}"} if sidecar.token else {}
        return _health(sidecar.url, headers, timeout).is_success
    except httpx.HTTPError:
        return False


def api_prefix(url: str, token: str | None = None, *, timeout: float = 5.0) -> str:
    """Return the prefix under which a server has its API; the usual one where it does not say."""
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        told = _health(url.rstrip("/"), headers, timeout).json()
        return str(told["api_prefix"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return DEFAULT_PREFIX


def _health(url: str, headers: dict[str, str], timeout: float) -> httpx.Response:
    return httpx.get(f"{url}/api/health", headers=headers, timeout=timeout, trust_env=False, verify=trusted(url))



def find(database: str | os.PathLike[str], *, seconds: float = 0.0) -> Sidecar | None:
    """Return the sidecar of an owner that answers, waiting for it up to `seconds`, or None."""
    deadline = time.monotonic() + seconds
    while True:
        sidecar = read(database)
        if sidecar is not None and alive(sidecar) and answers(sidecar):
            return sidecar
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.1)
