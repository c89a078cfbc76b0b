// Two dialogs of every page: go to anything (Ctrl-K), and the keys of the page (?).
export function render({model, el}) {
  const veil = document.createElement("div")
  veil.className = "veil"
  veil.hidden = true
  veil.innerHTML = `<div class="box" role="dialog" aria-modal="true">
    <div class="find"><input type="text" placeholder="Name or id of a sheet, template, job, model, endpoint or pair" role="combobox" aria-expanded="true" aria-label="Go to" spellcheck="false" autocomplete="off"><ul role="listbox"></ul><p class="faint" role="status"></p></div>
    <div class="keys"><b>Keys of this page</b><dl></dl></div></div>`
  el.append(veil)
  const box = veil.querySelector(".box")
  const input = veil.querySelector("input")
  const list = veil.querySelector("ul")
  const note = veil.querySelector("p")
  let n = 0
  let at = 0
  let timer = 0
  let before = null

  const deep = (root, test) => {
    for (const node of root.querySelectorAll("*")) {
      if (test(node)) { return node }
      const found = node.shadowRoot && deep(node.shadowRoot, test)
      if (found) { return found }
    }
    return null
  }
  const open = (what) => {
    before = document.activeElement
    veil.hidden = false
    box.dataset.shows = what
    if (what === "find") { input.value = ""; list.replaceChildren(); note.textContent = ""; input.focus() } else { box.tabIndex = -1; box.focus() }
  }
  const close = () => { input.blur(); veil.hidden = true; before?.focus?.() }
  const mark = () => [...list.children].forEach((line, i) => { line.setAttribute("aria-selected", i === at); if (i === at) { line.scrollIntoView({block: "nearest"}) } })
  const ask = () => { n += 1; model.send_msg({q: input.value.trim(), n}) }
  const go = (line) => { const link = line?.querySelector("a"); if (link) { close(); link.click() } }
  input.oninput = () => { clearTimeout(timer); timer = setTimeout(ask, 120) }
  veil.onpointerdown = (event) => { if (event.composedPath()[0] === veil) { close() } }
  veil.onkeydown = (event) => {
    const moves = {ArrowDown: 1, ArrowUp: -1}
    if (event.key === "Escape") { close() }
    else if (event.key in moves && list.children.length) { at = (at + moves[event.key] + list.children.length) % list.children.length; mark() }
    else if (event.key === "Enter") { go(list.children[at]) }
    else if (event.key === "Tab") { /* stays inside */ }
    else { return }
    event.preventDefault()
    event.stopPropagation()
  }
  model.on("msg:custom", ({n: answered, items, words}) => {
    if (answered !== n) { return }
    at = 0
    list.replaceChildren(...items.map(({label, name, detail, href}) => {
      const line = document.createElement("li")
      line.setAttribute("role", "option")
      const link = document.createElement("a")
      link.href = href
      for (const [part, text] of [["label", label], ["name", name], ["detail", detail]]) {
        const piece = document.createElement("span")
        piece.className = part
        piece.textContent = text || ""
        link.append(piece)
      }
      line.append(link)
      return line
    }))
    note.textContent = words
    mark()
  })
  const draw = () => veil.querySelector("dl").replaceChildren(...model.keys.flatMap(([key, words]) => {
    const term = document.createElement("dt")
    term.append(...key.split(" ").map((one) => { const cap = document.createElement("kbd"); cap.textContent = one; return cap }))
    const text = document.createElement("dd")
    text.textContent = words
    return [term, text]
  }))
  const typing = (node) => node.isContentEditable || node.tagName === "TEXTAREA" || node.tagName === "SELECT" || (node.tagName === "INPUT" && !["checkbox", "radio", "button", "range"].includes(node.type))
  const onkey = (event) => {
    if (!veil.isConnected) { return }
    const path = event.composedPath()
    const anywhere = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k"
    const free = !path.some(typing) && !path.some((node) => node.getAttribute?.("role") === "dialog") && !event.ctrlKey && !event.metaKey && !event.altKey
    if (anywhere) { open("find") }
    else if (free && event.key === "?") { open("keys") }
    else if (free && event.key === "/") {
      const field = deep(document, (node) => node.classList?.contains("search") && node.shadowRoot)
      const inner = field && deep(field.shadowRoot, (node) => node.tagName === "INPUT")
      if (!inner) { return }
      inner.focus()
    } else { return }
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  const opened = () => open("find")
  window.addEventListener("keydown", onkey, true)
  window.addEventListener("workbench:find", opened)
  model.on("keys", draw)
  model.on("remove", () => { window.removeEventListener("keydown", onkey, true); window.removeEventListener("workbench:find", opened) })
  draw()
}
