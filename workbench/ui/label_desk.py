"""The reviewer's desk: which pair is on it, what was typed, and decisions in their order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from workbench.errors import Conflict, Forbidden, NotReady, ValidationError
from workbench.ui.label_claims import Claims, asked

TEXTS = ("response", "prompt")
# What decides on a pair stays out of what is saved without a decision.
KEPT_IN_DRAFT = frozenset(TEXTS)
REWRITTEN = "This pair was rewritten meanwhile."
UNSEEN = "Somebody rewrote this pair before you could see it. Look at it again and decide anew."


class Desk:
    """Decide on pairs one after the other; the next pair comes only once the write is acknowledged.

    Every method runs on one lane of the session. `show(card)` is called with each new card, `ended()`
    when the queue holds nothing more.
    """

    def __init__(self, ws: Any, *, show: Callable[[Any], None], ended: Callable[[], None]) -> None:
        self._ws = ws
        self.training_sheet_id = ""
        self._show = show
        self._ended = ended
        self._queue: dict[str, Any] = {}
        self._ahead: tuple[int, Future[Any]] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="workbench-ahead")
        self.claims: Claims | None = None
        self.card: Any = None
        self.typed: dict[str, str] = {}
        self.overtaken = ""
        self._place: Any = None  # what was remembered last
        self._learned = False
        self._doubted = False  # something changed since the next pair was read
        self._early = False  # the pair on the desk was read while the one before it was still in the queue

    def close(self) -> None:
        """Stop reading ahead and give back what is held."""
        if self.claims is not None:
            self.claims.release()
        self._reader.shutdown(wait=True, cancel_futures=True)

    def turn(self, training_sheet_id: str) -> None:
        """Sit down at another training sheet, with an empty desk."""
        self.share(False)
        self.training_sheet_id = training_sheet_id
        self.card, self.typed, self._ahead = None, {}, None

    def share(self, shared: bool) -> None:
        """Take pairs that nobody else holds, or any pair of the queue."""
        if self.claims is not None:
            self.claims.release()
        self.claims = Claims(self._ws, self.training_sheet_id) if shared else None

    def choose(self, queue: dict[str, Any], row_index: int | None = None) -> None:
        """Work through another queue, starting at a pair or at its first."""
        self._queue = queue
        self._ahead = None
        if self.claims is not None:
            self.claims.choose(queue)
        if row_index is None:
            self._first()
        else:
            self._open(self.claims.take(row_index) if self.claims is not None else row_index)

    def left(self) -> Any:
        """Return where this person left off: which pair in which queue."""
        return self._ws.review.bookmark(self.training_sheet_id)

    def keep_place(self, rested: int | None = None) -> None:
        """Remember the pair on the desk, if it is the one rested at, and its queue; who may only look on has no place to keep."""
        if self.card is None or rested not in (None, self.card.pair.row_index):
            return
        row_index, shared = self.card.pair.row_index, self.claims is not None
        place = (self.training_sheet_id, row_index, shared, self._queue)
        if place != self._place:
            self._place = place
            with suppress(Forbidden, NotReady):
                self._ws.review.keep_bookmark(self.training_sheet_id, row_index, shared=shared, **asked(self._queue))

    def refresh(self) -> None:
        """Show the pair on the desk as it is now; an empty desk looks for work again."""
        if self.card is None:
            self._first()
            return
        self._doubted = True
        if self._unchanged(self.card):
            return
        typed, fresh = self.typed, self._read(self.card.pair.row_index)
        if typed:
            self._overtake(fresh)
        self._take(fresh, typed)

    def learn(self) -> None:
        """Show what is known of the pair on the desk by now, to those who may know; others have no known answer on their card.

        When it is first heard what is known, the card was read anyway.
        """
        first, self._learned = not self._learned, True
        if not first and self.card is not None and self.card.known_answer is not None:
            self._take(self._read(self.card.pair.row_index), self.typed)

    def renumber(self) -> None:
        """Say anew where in the queue the pair on the desk stands, if it was read before the last decision."""
        if self.card is not None and self._early:
            self._early = False
            self._take(self._read(self.card.pair.row_index), self.typed)

    def reload(self) -> None:
        """Show the pair again, whatever is known of it."""
        self._ahead = None
        if self.card is None:
            self._first()
        else:
            self._take(self._read(self.card.pair.row_index), self.typed)

    def _unchanged(self, card: Any) -> bool:
        """Return whether a pair is still as its card shows it; to ask costs a tenth of reading the card."""
        now = self._ws.review.get(self.training_sheet_id, card.pair.row_index)
        return (now.version, now.review.values()) == (card.pair.version, card.pair.review.values())

    def type(self, row_index: int, texts: dict[str, str], seen: int) -> Any | None:
        """Keep what is typed into a pair as it was `seen`, so that a reload finds it; return the kept draft, if it is one."""
        self.write(row_index, texts)
        drafted = {name: text for name, text in texts.items() if name in KEPT_IN_DRAFT}
        draft = self._ws.review.draft(self.training_sheet_id, row_index, version=seen, **drafted) if drafted else None
        if self.outdated(row_index, seen):
            # It was on its way while somebody else's words came: they were not read by whoever typed this.
            self._overtake(self.card, otherwise=REWRITTEN)
            # What was drafted comes back with the card, less what was only sent along as it was seen.
            self._take(self._read(row_index), {name: text for name, text in self.typed.items() if name not in drafted})
        return draft

    def write(self, row_index: int, texts: dict[str, str]) -> bool:
        """Take texts as typed into the pair on the desk, if it is that one; what the pair says already was not typed."""
        if self.card is None or self.card.pair.row_index != row_index:
            return False
        self.typed = _own(self.card.pair, self.typed | texts)
        return True

    def outdated(self, row_index: int, seen: int) -> bool:
        """Return whether the texts of the pair on the desk are others than those that were `seen`."""
        pair = self.card.pair if self.card is not None else None
        return pair is not None and pair.row_index == row_index and self._rewritten(pair, seen)

    def _rewritten(self, pair: Any, since: int | None) -> bool:
        if since is None or since >= pair.version:
            return False
        try:
            before = self._ws.review.get(self.training_sheet_id, pair.row_index, version=since)
        except ValidationError:  # another pair has taken the place of the one that was seen
            return True
        return any(getattr(before, name) != getattr(pair, name) for name in TEXTS)

    def decide(self, action: str, *, seen: tuple[int, int] | None = None, **more: Any) -> Any | None:
        """Decide on the pair on the desk and go to the next; what was typed goes along with an approval.

        Refused where other texts were `seen` of it, which is a pair and its version. Keys that come faster than pairs
        are drawn still decide on one pair after the other.
        """
        if self.card is None:
            return None
        pair = self.card.pair
        typed = {name: text for name, text in self.typed.items() if action == "approve" or name not in KEPT_IN_DRAFT}
        given = {"action": action, "version": pair.version, **typed, **more}
        try:
            if seen is not None and self.outdated(*seen):
                raise Conflict(UNSEEN, yours=seen[1], current_version=pair.version)
            decided = self._ws.review.decide(self.training_sheet_id, pair.row_index, **given)
        except Conflict as error:
            self._keep_typed(error)
            raise
        self._advance(self.card.next_index)
        return decided

    def _keep_typed(self, error: Conflict) -> None:
        """Store what would else be only on the screen; then both versions can be compared."""
        texts = {name: text for name, text in self.typed.items() if name in KEPT_IN_DRAFT}
        if texts:
            pair = self.card.pair
            seen = error.context.get("yours", pair.version)
            self._ws.review.draft(self.training_sheet_id, pair.row_index, version=seen, **texts)
            self.overtaken = error.message

    def _overtake(self, fresh: Any, *, otherwise: str = "") -> None:
        latest = next(iter(fresh.history), None)
        self.overtaken = f"{latest.actor} {latest.label} this pair meanwhile." if latest is not None else otherwise

    def save(self, **changes: Any) -> Any | None:
        """Change the pair on the desk without deciding on it."""
        if self.card is None:
            return None
        pair = self.card.pair
        changed = self._ws.review.decide(self.training_sheet_id, pair.row_index, version=pair.version, **changes)
        typed = {name: text for name, text in self.typed.items() if name not in changes}
        self._take(self._read(pair.row_index), typed)
        return changed

    def keep_notes(self) -> Any | None:
        """Save the notes if they were changed."""
        notes = self.typed.get("notes")
        if notes is None or self.card is None or notes == (self.card.pair.notes or ""):
            return None
        return self.save(notes=notes or None)

    def keep_known(self, answer: dict[str, Any]) -> Any:
        """Keep the right answer to a pair, to see how people do on it."""
        return self._ws.review.mark_gold(self.training_sheet_id, [answer])

    def forget_known(self, row_index: int) -> Any:
        """Forget the right answer to a pair."""
        return self._ws.review.unmark_gold(self.training_sheet_id, [row_index])

    def drop_typed(self) -> str | None:
        """Forget what was typed into the pair on the desk; return which one it is."""
        if self.card is None:
            return None
        pair = self.card.pair
        self.typed = {}
        self.overtaken = ""
        self._ws.review.draft(
            self.training_sheet_id, pair.row_index, response=pair.response, prompt=pair.prompt, version=pair.version
        )
        self._take(self._read(pair.row_index))
        return str(pair.row_index)

    def step(self, *, forward: bool) -> None:
        """Go to the next or the previous pair of the queue."""
        if self.card is None:
            self._first()
            return
        if self.claims is not None:
            index = self.claims.step(self.card.pair.row_index, forward=forward)
        else:
            index = self.card.next_index if forward else self.card.previous_index
        if index is not None:
            self._open(index)

    def undo(self) -> Any:
        """Take back the last thing of this person and show the pair it was about."""
        return self._back(self._ws.review.undo(self.training_sheet_id))

    def redo(self) -> Any:
        """Make again what was taken back last and show the pair it is about."""
        return self._back(self._ws.review.redo(self.training_sheet_id))

    def bring_back(self, row_index: int, version: int, seen_version: int) -> Any:
        """Make a pair, as it was seen, what it was at a version and show it; what was typed into it stays typed."""
        given = {"row_index": row_index, "version": version, "seen_version": seen_version}
        return self._back(self._ws.review.undo(self.training_sheet_id, **given))

    def _back(self, outcome: Any) -> Any:
        self._ahead = None
        if outcome.row_indices:
            self._open(outcome.row_indices[0])
        else:
            self.reload()
        return outcome

    def _advance(self, index: int | None) -> None:
        if self.claims is not None:
            index = self.claims.following(self.card.pair.row_index)
        if index is None:
            self._first()
        else:
            self._open(index)

    def _first(self) -> None:
        if self.claims is not None:
            index = self.claims.first()
        else:
            found = self._ws.review.queue(self.training_sheet_id, limit=1, **self._queue)
            index = next((pair.row_index for pair in found), None)
        if index is not None:
            self._open(index)
            return
        self.card = None
        self.typed = {}
        self._ended()

    def _open(self, row_index: int) -> None:
        ready, self._ahead = self._ahead, None
        card = ready[1].result() if ready is not None and ready[0] == row_index else None
        if card is None or (self._doubted and not self._unchanged(card)):
            card = self._read(row_index)
            self._early = False
        else:
            self._early = True
        self.overtaken = ""
        self._take(card)

    def _take(self, card: Any, typed: dict[str, str] | None = None) -> None:
        self.card = card
        drafted = _own(card.pair, {name: getattr(card.draft, name) for name in TEXTS}) if card.draft is not None else {}
        self.typed = {**drafted, **(typed or {})}
        if drafted and not self.overtaken and self._rewritten(card.pair, card.draft.version):
            self._overtake(card, otherwise=REWRITTEN)
        self._show(card)
        upcoming = self.claims.upcoming(card.pair.row_index) if self.claims is not None else card.next_index
        if upcoming is not None:
            self._doubted = False
            self._ahead = (upcoming, self._reader.submit(self._read, upcoming))

    def _read(self, row_index: int) -> Any:
        return self._ws.review.card(self.training_sheet_id, row_index, **self._queue)


def _own(pair: Any, texts: dict[str, str]) -> dict[str, str]:
    """Return the texts that are others than those of the pair; what is no text of it stays as it is."""
    return {name: text for name, text in texts.items() if name not in KEPT_IN_DRAFT or text != getattr(pair, name)}
