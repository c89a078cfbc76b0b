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
  const name = (event) => [event.ctrlKey || event.metaKey ? "Ctrl+" : "", event.altKey ? "Alt+" : "", event.key.length === 1 ? event.key.toLowerCase() : event.key].join("")

  const onkey = (event) => {
    if (!box.isConnected || !armed || event.isComposing) { return }
    const path = event.composedPath()
    const key = name(event)
    const taken = path.some(typing) ? model.typing_keys : model.keys
    // A dialog on top owns the keyboard.
    if (!taken.includes(key) || path.some((node) => node.getAttribute?.("role") === "dialog")) { return }
    event.preventDefault()
    event.stopImmediatePropagation()
    n += 1
    model.send_msg({key, n, repeat: event.repeat})
  }
  const onpointer = (event) => arm(event.composedPath().includes(box))
  // Lab puts the focus back on the notebook after each click: only an editor elsewhere disarms.
  const onfocus = (event) => { const path = event.composedPath(); if (!path.includes(box) && path.some(typing)) { arm(false) } }
  window.addEventListener("keydown", onkey, true)
  window.addEventListener("pointerdown", onpointer, true)
  window.addEventListener("focusin", onfocus, true)
  model.on("remove", () => {
    window.removeEventListener("keydown", onkey, true)
    window.removeEventListener("pointerdown", onpointer, true)
    window.removeEventListener("focusin", onfocus, true)
  })
}
