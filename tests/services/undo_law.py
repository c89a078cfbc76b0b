"""Thousands of random steps by several people, and the way back: the law that undo has to keep."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.services.test_reassembly import change_row
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.domain.quality import SIGNALS
from workbench.errors import Conflict, InvalidTransition

ROWS = 60
PEOPLE = ("ann", "bob", "cat", "dan")
PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
PLANS = (
    PLAN,
    {**PLAN, "prompt_template": "{{q}}"},
    {**PLAN, "prompt_template": "Tell me: {{q}}", "label_type": "told"},
    {**PLAN, "system_instruction": "Be brief."},
)
PAIRS = "select * exclude (version, updated_at) from pairs order by training_sheet_id, row_index"
LABELS = (
    "select id, sheet_id, item_ref, label_type, label, confidence, labeled_by, labeled_at, allowed_uses, prohibited_uses "
    "from canonical_labels order by id"
)
FIGURES = {"length": "length(response)", "words": "$scan", "language": "'en'", "concern": "row_index * $scan % 7 / 7"}
MEASURED = ", ".join(f"'{name}': {FIGURES.get(name, 'null')}" for name in SIGNALS)
SHEETS = "select id, template_id, template, total_rows from training_sheets order by id"


def told(db: Any) -> str:
    """Return all that undo has to bring back, as text: pairs with source rows and verdicts, labels and templates."""
    states = [db.rows(sql) for sql in (PAIRS, LABELS, SHEETS)]
    states.append(db.rows("select training_sheet_id, row_index, source_snapshot, decided_batch from pair_rows order by all"))
    states.append(db.rows("select training_sheet_id, row_index, signals, training_loss from pair_rows order by all"))
    return json.dumps(states, default=str)


class Walk:
    """Do random things to two training sheets of one sheet and remember the batches in their order."""

    def __init__(self, ws: Any, seed: int) -> None:
        self.dice = random.Random(seed)
        self.db, self.clock = ws.app.db, ws.clock
        self.people = [Workspace(LocalTransport(ws.app, user=name)) for name in PEOPLE]
        rows = [{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n % 4}" if n % 9 else None, "n": n} for n in range(ROWS)]
        sheet = ws.sheets.create("rows", rows=rows, item_id_column="id")
        self.sheet_id = sheet.id
        self.made = [ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 50").id for _ in range(2)]
        self.ws = ws
        self.done: list[tuple[str, str]] = []
        self.counts: Counter[str] = Counter()
        # Cells change before the walk begins: the log of a review does not take back what happens to a sheet.
        for row in self.dice.sample(range(ROWS), 12):
            change_row(ws, sheet.id, row, **self.dice.choice([{"q": f"other {row}"}, {"a": f"new {row}"}, {"n": 55}, {"n": 5}]))
        self.scans = 0
        self._measure()
        self.start = told(self.db)

    def step(self) -> None:
        """Let somebody do something."""
        self.clock.advance(seconds=1)
        kind = self.dice.choices(list(self._kinds), [weight for weight, _ in self._kinds.values()])[0]
        person, made = self.dice.choice(self.people), self.dice.choice(self.made)
        try:
            batch = self._kinds[kind][1](self, person, made)
        except (Conflict, InvalidTransition):
            batch = None  # somebody else holds the pair, or it has no response to approve
        self.counts[kind] += 1
        if batch:
            self.done.append((made, batch))

    def _total(self, made: str) -> int:
        return self.db.value("select count(*) from pair_rows where training_sheet_id = ?", [made])

    def _rows(self, made: str) -> list[int]:
        return self.dice.sample(range(self._total(made)), self.dice.randint(1, 15))

    def _latest(self, made: str, person: Any) -> str | None:
        row = self.db.row("select id from batches where training_sheet_id = ? order by number desc limit 1", [made])
        return row["id"] if row else None

    def _single(self, person: Any, made: str) -> str | None:
        row, number = self.dice.randrange(self._total(made)), self.clock.now().isoformat()
        choice: dict[str, Any] = self.dice.choice([
            {"action": "approve"}, {"action": "reject"}, {"action": "flag", "flag_reason": number}, {"action": "reset"},
            {"response": f"by hand {number}"}, {"response": f"approved {number}", "action": "approve"},
            {"prompt": f"Another {number}?"}, {"notes": number}, {"allowed_uses": ["training"]}, {"prohibited_uses": ["testing"]},
        ])  # fmt: skip
        before = person.review.get(made, row).version
        after = person.review.decide(made, row, **choice).version
        return self._latest(made, person) if after > before else None

    def _bulk(self, person: Any, made: str) -> str | None:
        action = self.dice.choice(["approve", "reject", "flag", "reset"])
        chosen: Any = {"row_indices": self._rows(made)}
        if self.dice.random() < 0.3:
            chosen = {
                "filter": {
                    "status": self.dice.choice(["unlabeled", "labeled", "flagged"]),
                    "where": f"n % 5 = {self.dice.randrange(5)}",
                }
            }
        return getattr(person.review, f"bulk_{action}")(made, **chosen).batch_id

    def _rights(self, person: Any, made: str) -> str | None:
        uses = self.dice.choice(
            [{"prohibited_uses": ["training"]}, {"allowed_uses": ["few_shot", "testing"]}, {"allowed_uses": None}]
        )
        return person.review.bulk_rights(made, row_indices=self._rows(made), **uses).batch_id

    def _claim(self, person: Any, made: str) -> None:
        if self.dice.random() < 0.5:
            person.review.claim(made, self.dice.randint(1, 4), lease_seconds=self.dice.randint(1, 20))
        else:
            person.review.release(made)

    def _reassemble(self, person: Any, made: str) -> str | None:
        given = {"template": self.dice.choice(PLANS)} if self.dice.random() < 0.8 else {}
        return person.training_sheets.reassemble(made, **given).batch_id

    def _restore(self, person: Any, made: str) -> str | None:
        row = self.dice.randrange(self._total(made))
        newest = person.review.get(made, row).version
        first = self.db.value(
            "select coalesce(max(pair_version) filter (where before.status is null), 1) from decisions "
            "where training_sheet_id = ? and row_index = ?",
            [made, row],
        )
        return person.review.undo(made, row_index=row, version=self.dice.randint(first, newest)).batch_id

    def _measure(self, *_: Any) -> None:
        """Measure the texts on which nothing was measured yet, each time with other figures; half of them get no loss."""
        self.scans += 1
        with self.db.write():
            self.db.execute(
                f"update pair_rows set signals = {{{MEASURED}}}, "
                "training_loss = case when row_index % 2 = 0 then row_index + $scan / 1000 end "
                "where signals is null and row_index % 3 > 0",
                {"scan": self.scans},
            )
            for made in self.made:
                self.db.emit("pairs", made, None, "scanned")

    def _label(self, person: Any, made: str) -> None:
        label = person.labels.create(self.sheet_id, "elsewhere", "x", label_type="answer")
        person.labels.update(label.id, label="y", confidence="low")
        assert person.labels.lookup(self.sheet_id, "elsewhere", label_type="answer").label == "y"
        person.labels.delete(label.id)
        person.labels.bulk_lookup(self.sheet_id, ["i1", "i2", "nothing"], label_type="answer")

    def _there_and_back(self, person: Any, made: str) -> None:
        """Take a recent batch back and make it again: nothing may be different."""
        mine = [batch for where, batch in self.done[-30:] if where == made]
        if mine:
            before, batch = told(self.db), self.dice.choice(mine)
            if person.review.undo(made, batch_id=batch).batch_id:
                person.review.redo(made, batch_id=batch)
                assert told(self.db) == before, f"{batch} of {made} does not come back as it was"

    _kinds: dict[str, tuple[int, Callable[..., Any]]] = {
        "single": (40, _single), "bulk": (12, _bulk), "rights": (5, _rights), "claim": (8, _claim), "reassemble": (3, _reassemble),
        "restore": (5, _restore), "label": (2, _label), "there and back": (3, _there_and_back), "measure": (4, _measure),
    }  # fmt: skip

    def undo_all(self) -> None:
        """Take every batch back, the newest first."""
        self.clock.advance(minutes=5)
        for made, batch in reversed(self.done):
            person = self.dice.choice(self.people)
            found = person.review.undo(made, batch_id=batch)
            assert not found.skipped, (batch, found)

    def difference(self) -> list[str]:
        """Return where the present state differs from that at the start."""
        then, now = json.loads(self.start), json.loads(told(self.db))
        found = [f"{len(a)} rows became {len(b)}" for a, b in zip(then, now, strict=True) if len(a) != len(b)]
        return found + [f"{x} became {y}" for a, b in zip(then, now, strict=True) for x, y in zip(a, b, strict=False) if x != y]
