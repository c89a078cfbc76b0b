"""Say whether the last decision has been stored, in the browser's own time."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent

from workbench.ui.theme import MARKUP_CSS


class SaveState(JSComponent):
    """Show `saving…` from the key press to the acknowledged write, then how long ago it was saved."""

    _esm = """
export function render({model, el}) {
  const line = document.createElement("span")
  line.className = "faint small line"
  line.setAttribute("role", "status")
  el.append(line)
  let lost = false
  const waits = () => { if (!lost) { line.textContent = "saving…" } }
  const gone = () => { lost = true; line.textContent = "not connected" }
  const held = () => { line.textContent = "not connected: the key waits" }
  const back = () => { lost = false; line.textContent = "" }
  const saved = () => {
    const since = document.createElement("wb-since")
    since.setAttribute("from", Date.now())
    line.replaceChildren("saved ", since)
  }
  const events = {"workbench:key": waits, "workbench:lost": gone, "workbench:back": back, "workbench:waits": held}
  for (const [name, listen] of Object.entries(events)) { window.addEventListener(name, listen) }
  model.on("msg:custom", ({state}) => { state === "saved" ? saved() : (line.textContent = state) })
  model.on("remove", () => { for (const [name, listen] of Object.entries(events)) { window.removeEventListener(name, listen) } })
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
