// Beside a field that searches: what was begun and not chosen gives way to what is chosen, and typing begins anew.
export function render({model, view}) {
  const field = view.parent
  const {data} = field.model
  // The field itself writes its first finding into the text when Enter chooses another: ours is the last word.
  const settle = () => setTimeout(() => { data.value_input = data.value ?? "" })
  data.connect(data.properties.value.change, settle)
  let fresh = false
  const mind = (event) => {
    const path = event.composedPath()
    if (!path.includes(field.el) || path[0].tagName !== "INPUT") { return }
    if (event.type === "focusout") { settle() } else if (event.type === "focusin" || fresh) { path[0].select() }
    fresh = event.type === "focusin"
  }
  // The field's element changes when what it stands in is drawn anew: it is looked up with each event.
  // The window does not hear of a focus that moves within one shadow tree, the tree does.
  const places = [window, view.el.getRootNode()]
  const kinds = ["focusin", "focusout", "click"]
  const each = (does) => places.forEach((place) => kinds.forEach((kind) => place[does](kind, mind)))
  each("addEventListener")
  model.on("remove", () => each("removeEventListener"))
}
