"""Own a workspace file in another process until stdin closes."""

from __future__ import annotations

import sys
import time

import workbench as wb
from workbench.client import discovery

if __name__ == "__main__":
    ws = wb.open(sys.argv[1], share=sys.argv[2] == "share")
    if sys.argv[2] == "share":
        while discovery.read(sys.argv[1]) is None:
            time.sleep(0.01)
    print("ready", flush=True)
    sys.stdin.read()
    ws.close()
