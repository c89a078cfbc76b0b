"""Say whether the last decision has been stored, in the browser's own time."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent

from workbench.ui.theme import MARKUP_CSS


class SaveState(JSComponent):
    """Show `saving…` from the press of a key that writes to the acknowledged write, then how long ago it was saved."""

    keys = param.List([], item_type=str, doc="Keys that write something; the others say nothing.")

    _esm = """
export function render({model, el}) {
  const line = document.createElement("span")
  line.className = "faint small line"
  line.setAttribute("role", "status")
  el.append(line)
  let lost = false
  const say = (words, warns = false) => { line.textContent = words; line.className = `small line ${warns ? "ink-warning" : "faint"}` }
  // Several cells of a notebook may hold a review each; a page speaks to all it shows.
  const ours = (box) => { for (let at = el; at; at = at.parentNode || at.host) { if (at === box) { return true } } return false }
  const listen = {
    key: ({key}) => { if (!lost && model.keys.includes(key)) { say("saving…") } },
    lost: ({cell}) => { lost = true; say(cell ? "kernel restarted: run this cell again" : "not connected", true) },
    waits: ({cell}) => say(cell ? "the key waits: run this cell again" : "not connected: the key waits", true),
    back: () => { lost = false; say("") },
  }
  const events = Object.entries(listen).map(([name, tell]) => [
    `workbench:${name}`, ({detail}) => { if (!detail || ours(detail.box)) { tell(detail || {}) } },
  ])
  const saved = () => {
    const since = document.createElement("wb-since")
    since.setAttribute("from", Date.now())
    say("")
    line.replaceChildren("saved ", since)
  }
  for (const [name, hear] of events) { window.addEventListener(name, hear) }
  model.on("msg:custom", ({state}) => { state === "saved" ? saved() : say(state) })
  model.on("remove", () => { for (const [name, hear] of events) { window.removeEventListener(name, hear) } })
}
"""
    _stylesheets = [MARKUP_CSS, ".line { white-space: nowrap; }"]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": None, **params})

    def saved(self) -> None:
        """Say that everything decided so far is stored."""
        self._send_msg({"state": "saved"})

    def say(self, words: str) -> None:
        """Say something else, such as that a draft is kept."""
        self._send_msg({"state": words})
