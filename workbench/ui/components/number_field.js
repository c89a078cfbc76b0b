// Beside a number field, which hands its number on only some browser tasks after it is left: a tap on a button comes sooner.
const NUMBER = {int: /^[-+]?\d+$/, float: /^[-+]?(\d+\.?\d*|\.\d+)$/}
const NOTHING = ["", "-", ".", "-."]

export function render({model, view}) {
  const field = view.parent
  const {data} = field.model
  // What the field would take for the text when it is left: what is no number leaves the former one.
  const read = (text) => {
    if (NOTHING.includes(text)) { return null }
    return NUMBER[data.mode].test(text) ? Number(text) : data.value
  }
  // The field's element changes when what it stands in is drawn anew: it is looked up with each event.
  const mind = (event) => {
    const path = event.composedPath()
    if (!path.includes(field.el) || path[0].tagName !== "INPUT") { return }
    data.typed = event.type === "input" ? read(path[0].value) : data.value
  }
  window.addEventListener("focusin", mind)
  window.addEventListener("input", mind)
  model.on("remove", () => {
    window.removeEventListener("focusin", mind)
    window.removeEventListener("input", mind)
  })
}
