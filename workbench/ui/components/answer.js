// A text area that reports what is typed: soon while typing, at once on leaving and on Ctrl-Enter.
const SOON = 700

export function render({model, el}) {
  const area = document.createElement("textarea")
  area.setAttribute("aria-label", "Response")
  area.rows = 2
  el.append(area)
  let item = ""
  let timer = 0
  let told = ""
  const fit = () => { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px` }
  const tell = (submit) => {
    clearTimeout(timer)
    timer = 0
    if (submit || area.value !== told) {
      told = area.value
      model.send_msg({item, text: area.value, submit: Boolean(submit)})
    }
  }
  const take = () => {
    const {item: next, text} = model.content
    const typing = item === next && area.value !== told
    if (typing) { return }
    if (timer) { tell() }
    item = next
    area.value = text
    told = text
    fit()
  }
  area.oninput = () => { fit(); if (!timer) { timer = setTimeout(() => tell(), SOON) } }
  area.onblur = () => tell()
  area.onkeydown = (event) => {
    if (event.key === "Escape") { tell(); area.blur() }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); tell(true); area.blur() }
  }
  model.on("content", take)
  model.on("msg:custom", (message) => {
    if (message.focus) { area.focus(); area.setSelectionRange(area.value.length, area.value.length) }
    if (message.put !== undefined) { area.value = message.put; fit(); tell() }
  })
  model.on("remove", () => clearTimeout(timer))
  take()
  requestAnimationFrame(fit)
}
