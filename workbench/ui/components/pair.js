// One pair: prompt and response to read and to write, with source row and history beside it.
// What is typed is reported soon while typing, at once on leaving and on Ctrl-Enter; this browser tab keeps it until Python has it.
const SOON = 700
// Who stays at a pair for so long will look for it when coming back; keys that rush through pairs store no place.
const RESTED = 1000

export function render({model, el}) {
  const desk = document.createElement("div")
  desk.className = model.served ? "desk" : "desk cell"
  desk.innerHTML = `
    <section class="main">
      <div class="place"></div><div class="notice" role="status"></div>
      <div class="over"><span>Prompt</span><button class="quiet edit-prompt" title="Edit the prompt (P)">edit</button></div>
      <div class="read" tabindex="0" aria-label="Prompt as it is"></div>
      <textarea aria-label="Prompt" hidden></textarea>
      <div class="changes prompt-changes"></div>
      <div class="over"><span>Response</span><span class="known"></span></div>
      <textarea aria-label="Response"></textarea>
      <div class="choices" role="group" aria-label="Answers"></div>
      <div class="changes response-changes"></div>
    </section>
    <section class="source"><div class="over"><span>Source row</span></div><div class="rows" tabindex="0" aria-label="Source row"></div><div class="signals"></div></section>
    <div class="side"><section class="guide" hidden><details><summary class="over">Guidelines</summary><div class="words" tabindex="0" aria-label="Guidelines"></div></details></section>
    <section class="history"><div class="over"><span>History</span></div><div class="entries" tabindex="0" aria-label="History"></div>
      <div class="over notes-title"><span>Notes</span></div><textarea aria-label="Notes" placeholder="For whoever looks at it next (N)"></textarea></section></div>`
  // Who knows the guidelines by heart folds them, and finds them folded.
  const FOLDED = "workbench:guidelines-folded"
  const guide = desk.querySelector("details")
  try { guide.open = !window.localStorage.getItem(FOLDED) } catch { guide.open = true }
  guide.ontoggle = () => { try { window.localStorage.setItem(FOLDED, guide.open ? "" : "1") } catch { /* it is only folded for now */ } }
  desk.querySelector(".words").append(model.get_child("guide"))
  el.append(desk)
  const find = (name) => desk.querySelector(name)
  const fields = {}
  for (const area of desk.querySelectorAll("textarea")) { fields[area.getAttribute("aria-label").toLowerCase()] = area }
  let item = ""
  let timer = 0
  let resting = 0
  const told = {}
  let version = null
  const kept = (name) => `workbench:${model.shown.sheet}:${item}:${name}`
  const store = (change) => { try { change(window.sessionStorage) } catch { /* a browser may forbid it; drafts are kept on the server as well */ } }

  const fit = (area) => {
    if (area.hidden) { return }
    area.style.height = "auto"
    area.style.height = `${area.scrollHeight + 2}px`
  }
  const changed = () => Object.keys(fields).filter((name) => fields[name].value !== told[name])
  const tell = (submit) => {
    clearTimeout(timer)
    timer = 0
    const names = submit ? ["response", ...changed().filter((name) => name !== "response")] : changed()
    if (!names.length) { return }
    const texts = {}
    for (const name of names) { texts[name] = told[name] = fields[name].value }
    model.send_msg({item, version, texts, submit: Boolean(submit)})
  }
  const put = (name, text) => {
    fields[name].value = text
    told[name] = text
    fit(fields[name])
  }
  const regions = {place: ".place", notice: ".notice", prompt: ".read", known: ".known", source: ".rows", signals: ".signals", history: ".entries"}
  const drawn = {}
  const draw = (name, markup) => {
    if (drawn[name] === markup) { return }
    drawn[name] = markup
    const place = find(regions[name])
    place.innerHTML = markup
    place.scrollTop = 0
  }
  // A long cell is cut so that the others stay in view; whoever needs all of it opens it.
  const unfold = () => {
    for (const cell of find(".rows").querySelectorAll("dd:not(.rest)")) {
      const cut = cell.scrollHeight > cell.clientHeight + 1
      if (cut === (cell.nextSibling?.className === "rest") || cell.classList.contains("whole")) { continue }
      if (!cut) { cell.nextSibling.remove(); continue }
      const rest = document.createElement("dd")
      rest.className = "rest"
      const button = document.createElement("button")
      button.className = "quiet"
      button.textContent = "show all"
      button.onclick = () => { button.textContent = cell.classList.toggle("whole") ? "show less" : "show all" }
      rest.append(button)
      cell.after(rest)
    }
  }
  const choose = (choices) => {
    const text = JSON.stringify(choices)
    if (drawn.choices === text) { return }
    drawn.choices = text
    find(".choices").replaceChildren(...choices.map(({name, key, color}) => {
      const button = document.createElement("button")
      button.className = "choice"
      if (color) { button.style.borderColor = color }
      const label = document.createElement("span")
      label.textContent = name
      const hint = document.createElement("kbd")
      hint.textContent = key
      button.append(...(key ? [hint, label] : [label]))
      button.onclick = () => model.send_msg({item, choice: name})
      return button
    }))
  }
  const mark = () => { for (const button of desk.querySelectorAll(".choice")) { button.setAttribute("aria-pressed", button.querySelector("span").textContent === fields.response.value) } }
  const open_prompt = (open) => {
    fields.prompt.hidden = !open
    find(".read").hidden = open
    fit(fields.prompt)
  }
  const take = () => {
    const next = model.shown
    const same = item === next.item
    const typing = Object.keys(fields).filter((name) => same && fields[name].value !== told[name])
    if (!same) {
      if (timer) { tell() }
      item = next.item
      open_prompt(false)
    }
    for (const name of Object.keys(regions)) { draw(name, next.parts[name] || "") }
    unfold()
    find(".guide").hidden = !next.guided
    choose(next.choices || [])
    for (const name of Object.keys(fields)) {
      // What is being typed stays; what a lost page had typed and not yet handed over comes back.
      if (typing.includes(name)) { continue }
      put(name, next.texts[name] || "")
      store((storage) => {
        const left = storage.getItem(kept(name))
        if (left !== null && left !== told[name]) { fields[name].value = left; fit(fields[name]) }
      })
    }
    if (fields.prompt.value !== (next.stored || {}).prompt) { open_prompt(true) }
    // What was typed into the pair as it was before goes out as such; Python knows who was overtaken by whom.
    if (!same) { version = next.version }
    if (changed().length && item) { tell() }
    version = next.version
    if (item) { model.send_msg({item, sheet: next.sheet, version, drawn: true}) }
    clearTimeout(resting)
    if (item) { resting = setTimeout(() => model.send_msg({item, rest: next.sheet}), RESTED) }
    mark()
    window.dispatchEvent(new CustomEvent("workbench:shown", {detail: {el, item, sheet: next.sheet}}))
  }
  const compare = () => {
    if (model.changes.item !== item) { return }
    for (const name of ["prompt", "response"]) { find(`.${name}-changes`).innerHTML = model.changes[name] || "" }
  }
  for (const [name, area] of Object.entries(fields)) {
    area.oninput = () => {
      fit(area)
      mark()
      store((storage) => storage.setItem(kept(name), area.value))
      if (!timer) { timer = setTimeout(() => tell(), SOON) }
    }
    area.onblur = () => { tell(); if (name === "notes") { model.send_msg({item, leave: name}) } }
    area.onkeydown = (event) => {
      if (event.key === "Escape") { area.blur() }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); tell(true); area.blur() }
    }
  }
  const write = (name) => {
    if (name === "prompt") { open_prompt(true) }
    const area = fields[name]
    area.focus()
    area.setSelectionRange(area.value.length, area.value.length)
    area.scrollTop = area.scrollHeight
  }
  find(".edit-prompt").onclick = () => write("prompt")
  desk.addEventListener("click", (event) => { const button = event.target.closest?.("[data-do]"); if (button) { model.send_msg({item, do: button.dataset.do}) } })
  model.on("shown", () => { take(); compare() })
  model.on("changes", compare)
  model.on("msg:custom", (message) => {
    if (message.focus) { write(message.focus) }
    if (message.kept) { store((storage) => { for (const [name, text] of Object.entries(message.kept)) { if (fields[name].value === text) { storage.removeItem(`workbench:${model.shown.sheet}:${message.item}:${name}`) } } }) }
    if (message.forget) { for (const name of Object.keys(fields)) { store((storage) => storage.removeItem(`workbench:${model.shown.sheet}:${message.forget}:${name}`)); if (message.forget === item) { put(name, model.shown.stored[name] || "") } } open_prompt(false) }
  })
  // Fields have no height before they are seen, and another one in another width.
  let width = 0
  const watcher = new ResizeObserver(() => { if (desk.clientWidth !== width) { width = desk.clientWidth; Object.values(fields).forEach(fit); unfold() } })
  watcher.observe(desk)
  model.on("remove", () => { clearTimeout(timer); clearTimeout(resting); watcher.disconnect() })
  take()
  compare()
}
