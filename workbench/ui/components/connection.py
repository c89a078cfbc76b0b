"""Say whether the page still hears its server, and come back when it does."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent

from workbench.ui.theme import SUCCESS, WARNING


class Connection(JSComponent):
    """Show `live` or `reconnecting`; when the server is back with new sessions the page reloads itself.

    While the socket is down the server is asked again after 1, 2, 5 s and then every 30 s.
    """

    _esm = """
const WAITS = [1000, 2000, 5000, 30000]

export function render({model, view, el}) {
  const word = document.createElement("span")
  word.setAttribute("role", "status")
  el.append(word)
  const say = (state, more = "") => { word.className = state; word.textContent = state + more }
  const tell = (name) => window.dispatchEvent(new CustomEvent(`workbench:${name}`))
  const waits = () => say("reconnecting", ", one key waits")
  window.addEventListener("workbench:waits", waits)
  model.on("remove", () => window.removeEventListener("workbench:waits", waits))
  let lost = false
  const probe = async (attempt) => {
    if (!lost) { return }
    const answer = await fetch(window.location.href, {method: "GET", cache: "no-store"}).catch(() => null)
    if (lost && answer && answer.ok) { window.location.reload(); return }
    setTimeout(() => probe(attempt + 1), WAITS[Math.min(attempt, WAITS.length - 1)])
  }
  const doc = view.model.document
  doc.on_event("connection_lost", () => {
    if (lost) { return }
    lost = true
    say("reconnecting")
    tell("lost")
    setTimeout(() => probe(1), WAITS[0])
  })
  doc.on_event("client_reconnected", () => { lost = false; say("live"); tell("back") })
  say("live")
}
"""
    _stylesheets = [
        f"""
span {{ display: flex; align-items: center; gap: 6px; font: 12px/16px Roboto, Arial, sans-serif;
  color: var(--mui-palette-text-secondary, #566272); }}
span::before {{ content: ""; width: 8px; height: 8px; border-radius: 50%;
  background: var(--mui-palette-state-successInk, {SUCCESS.ink}); }}
span.reconnecting::before {{ background: var(--mui-palette-state-warningInk, {WARNING.ink}); }}
"""
    ]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"height": 16, "margin": 0, **params})
