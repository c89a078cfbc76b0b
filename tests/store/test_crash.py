"""The owner is killed while it writes: what was acknowledged is there, nothing is there by half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from workbench.store import Database
from workbench.store.doctor import doctor

WRITER = """
import sys
from workbench.store import Database
db = Database.open(sys.argv[1])
while True:
    number = db.last_seq + 1
    with db.write():
        for half in ("a", "b"):
            db.execute("insert into settings values (?, '1', 1, now()::timestamp, 'me')", [f"{number}{half}"])
            db.emit("settings", f"{number}{half}")
    print(db.last_seq, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_killed_while_writing(path, acknowledged):
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env={**os.environ})
        last = 0
        for _ in range(acknowledged):
            last = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
        last = int(rest[-1]) if rest else last
        with Database.open(path) as db:
            assert db.last_seq >= last
            assert db.value("select count(*) from settings") == db.last_seq
            assert db.last_seq % 2 == 0
            assert doctor(db) == []
