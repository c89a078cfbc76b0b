// Beside a number field, which hands its number on only some browser tasks after it is left: a tap on a button comes sooner.
const NUMBER = {int: /^[-+]?\d+$/, float: /^[-+]?(\d+\.?\d*|\.\d+)$/}
const NOTHING = ["", "-", ".", "-."]

export function render({view}) {
  const field = view.parent
  const {data} = field.model
  // What the field would take for the text when it is left: what is no number leaves the former one.
  const read = (text) => {
    if (NOTHING.includes(text)) { return null }
    return NUMBER[data.mode].test(text) ? Number(text) : data.value
  }
  field.el.addEventListener("focusin", () => { data.typed = data.value })
  field.el.addEventListener("input", (event) => { data.typed = read(event.composedPath()[0].value) })
}
