// Catch keys before anybody else: JupyterLab listens in the capture phase at the document, so we do at the window.
export function render({model, view, el}) {
  const box = document.createElement("div")
  box.className = model.served ? "box" : "box notebook"
  box.tabIndex = -1
  box.append(model.get_child("content"))
  el.append(box)
  let n = 0
  let armed = model.served
  const arm = (on) => {
    if (model.served || on === armed) { return }
    armed = on
    box.classList.toggle("armed", on)
    model.armed = on
  }
  const typing = (node) => node.isContentEditable || node.tagName === "TEXTAREA" || node.tagName === "SELECT"
    || (node.tagName === "INPUT" && !["checkbox", "radio", "button", "range"].includes(node.type))
  const dialog = (node) => node.getAttribute?.("role") === "dialog"
  // A capital letter is another key than the small one; signs such as ? need Shift on most keyboards anyway.
  const name = (event) => [
    event.ctrlKey || event.metaKey ? "Ctrl+" : "", event.altKey ? "Alt+" : "",
    event.shiftKey && /^[a-z]$/i.test(event.key) ? "Shift+" : "", event.key.length === 1 ? event.key.toLowerCase() : event.key,
  ].join("")
  const within = (node) => { for (let at = node; at; at = at.parentNode || at.host) { if (at === box) { return true } } return false }
  const say = (what, more = {}) => window.dispatchEvent(new CustomEvent(`workbench:${what}`, {detail: {box, ...more}}))
  // While the line is down one key waits, for the pair that is on the screen; more would decide on pairs nobody has seen.
  const KEPT = "workbench:key"
  const FORGOTTEN = 600_000
  let on = null
  let lost = false
  const store = (change) => { try { return change(window.sessionStorage) } catch { return null } }
  const send = (key, repeat) => {
    n += 1
    say("key", {key})
    model.send_msg({key, n, repeat})
  }
  const onlost = ({detail}) => { if (!detail) { lost = true } }
  const onback = ({detail}) => { if (!detail) { lost = false; resend() } }
  const onshown = ({detail}) => {
    if (detail.el.isConnected && !within(detail.el)) { return }
    on = detail
    resend()
  }
  const resend = () => {
    const kept = JSON.parse(store((storage) => storage.getItem(KEPT)) || "null")
    if (!kept || lost || !on?.item || kept.sheet !== on.sheet) { return }
    store((storage) => storage.removeItem(KEPT))
    if (kept.item !== on.item || !model.keys.includes(kept.key) || Date.now() - kept.at > FORGOTTEN) { return }
    // Who waits for a key goes on with the next: the new view takes the keys over from the one that died.
    if (!document.activeElement || !typing(document.activeElement)) { arm(true) }
    send(kept.key, false)
  }
  // A restarted kernel does not know what older outputs show: JupyterLab then strikes them from its list.
  const listed = () => view.root.model.id in (window.PyViz?.kernels || {})
  let known = false
  const alive = () => {
    if (model.served || lost) { return !lost }
    known ||= listed()
    lost = known && !listed()
    if (lost) { say("lost", {cell: true}) }
    return !lost
  }

  // Whoever searched wants to go on with the keys; a field hands over its text when it is left.
  const leaves = (event, path) => {
    const field = path.find((node) => node.tagName === "INPUT" && typing(node) && node.getAttribute("role") !== "combobox")
    if (!field || !within(field) || path.some(dialog) || !["Enter", "Escape"].includes(event.key)) { return false }
    field.blur()
    return true
  }

  const onkey = (event) => {
    if (!box.isConnected || !armed || event.isComposing) { return }
    const path = event.composedPath()
    const key = name(event)
    if (leaves(event, path) && !model.typing_keys.includes(key)) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }
    const here = alive()
    const taken = path.some(typing) ? model.typing_keys : model.keys
    // A dialog on top owns the keyboard.
    if (!taken.includes(key) || path.some(dialog)) { return }
    event.preventDefault()
    event.stopImmediatePropagation()
    if (!here) {
      const kept = JSON.stringify({key, sheet: on?.sheet, item: on?.item, at: Date.now()})
      store((storage) => storage.getItem(KEPT) || storage.setItem(KEPT, kept))
      say("waits", {cell: !model.served})
      return
    }
    send(key, event.repeat)
  }
  const onpointer = (event) => {
    const inside = event.composedPath().includes(box)
    if (inside) { alive() }
    arm(inside)
  }
  // Lab puts the focus back on the notebook after each click: only an editor elsewhere disarms.
  const onfocus = (event) => { const path = event.composedPath(); if (!path.includes(box) && path.some(typing)) { arm(false) } }
  window.addEventListener("workbench:lost", onlost)
  window.addEventListener("workbench:back", onback)
  window.addEventListener("workbench:shown", onshown)
  window.addEventListener("keydown", onkey, true)
  window.addEventListener("pointerdown", onpointer, true)
  window.addEventListener("focusin", onfocus, true)
  model.on("remove", () => {
    window.removeEventListener("workbench:lost", onlost)
    window.removeEventListener("workbench:back", onback)
    window.removeEventListener("workbench:shown", onshown)
    window.removeEventListener("keydown", onkey, true)
    window.removeEventListener("pointerdown", onpointer, true)
    window.removeEventListener("focusin", onfocus, true)
  })
}
