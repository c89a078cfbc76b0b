"""An owner of a study for the restart test: `python -m tests.e2e.study_owner DATABASE SETTINGS`, killed by the test."""

import json
import sys
import time

from tests.services.approved import sheet_of, words
from tests.services.tiny_trainer import BASE_MODEL, NAME
from workbench.server import bootstrap
from workbench.trainers import registry


def opened(path):
    """Open a workspace that knows the tiny trainer."""
    registry.BUILT_IN[NAME] = NAME
    registry.trainers.cache_clear()
    ws = bootstrap.open(path, share=False)
    ws.app = ws.transport.app
    return ws


if __name__ == "__main__":
    ws = opened(sys.argv[1])
    sheet = sheet_of(ws, words(30))
    study = ws.studies.create(sheet.id, "colors", BASE_MODEL, **json.loads(sys.argv[2]))
    print(study.id, flush=True)
    time.sleep(600)
