// One page of rows, drawn as a plain table. Cells are markup made by format.py; ids, not positions, go back.
const WIDEST = 420
const NARROWEST = 136
const PADDING = 24
export function render({model, el}) {
  const frame = document.createElement("div")
  frame.className = "frame"
  const table = document.createElement("table")
  frame.append(table)
  el.append(frame)
  const before = new Map()
  const rows = () => [...table.tBodies[0].rows]
  const picked = () => new Set(model.selected)

  // Names that begin alike differ at their end: it stays in sight, the middle gives way.
  const write = (place, title) => {
    if (title.length <= model.short) {
      place.textContent = title
      return
    }
    const letters = [...title]
    const whole = document.createElement("span")
    whole.className = "middle"
    for (const part of [letters.slice(0, -model.tail), letters.slice(-model.tail)]) {
      const piece = document.createElement("span")
      piece.textContent = part.join("")
      whole.append(piece)
    }
    place.append(whole)
    place.setAttribute("aria-label", title)
  }

  const head = () => {
    const line = table.createTHead().insertRow()
    if (model.selectable) {
      const all = box(() => {
        const ids = rows().map((row) => row.dataset.id)
        model.selected = all.checked ? ids : []
        mark()
      }, "Select the rows of this page")
      all.className = "all"
      const cell = document.createElement("th")
      cell.className = "pick"
      cell.append(all)
      line.append(cell)
    }
    for (const column of model.columns) {
      const cell = document.createElement("th")
      cell.className = column.align
      cell.title = column.title.length > model.short ? `${column.title}: ${column.doc}` : column.doc
      cell.scope = "col"
      if (column.width) { cell.style.width = column.width }
      if (column.sortable) {
        const button = document.createElement("button")
        const active = model.sort === column.name
        write(button, column.title)
        button.className = active ? (model.descending ? "down" : "up") : ""
        cell.setAttribute("aria-sort", active ? (model.descending ? "descending" : "ascending") : "none")
        button.onclick = () => model.send_msg({do: "sort", column: column.name})
        cell.append(button)
      } else {
        write(cell, column.title)
      }
      line.append(cell)
    }
  }

  const body = () => {
    const part = table.createTBody()
    for (const {id, cells} of model.rows) {
      const row = part.insertRow()
      row.dataset.id = id
      if (model.openable) {
        row.tabIndex = 0
        row.onclick = (event) => { if (!event.composedPath().some(busy)) { model.send_msg({do: "show", id}) } }
        row.onkeydown = (event) => { if (event.key === "Enter") { model.send_msg({do: "show", id}) } }
      }
      if (model.selectable) {
        const cell = row.insertCell()
        cell.className = "pick"
        cell.append(box((event) => {
          const ids = picked()
          for (const one of run(id)) { event.target.checked ? ids.add(one) : ids.delete(one) }
          model.selected = [...ids]
          mark()
        }, "Select this row"))
      }
      cells.forEach((markup, i) => {
        const cell = row.insertCell()
        cell.className = model.columns[i].align
        cell.innerHTML = markup
      })
      const now = cells.join("")
      if (before.has(id) && before.get(id) !== now) { row.classList.add("changed") }
      before.set(id, now)
    }
  }

  const busy = (node) => node.tagName === "A" || node.tagName === "WB-ID" || node.tagName === "INPUT" || node.tagName === "BUTTON"
  // With Shift, all from the row chosen last to this one.
  let last = ""
  let shift = false
  const run = (id) => {
    const ids = rows().map((row) => row.dataset.id)
    const [from, to] = [shift ? ids.indexOf(last) : -1, ids.indexOf(id)].sort((a, b) => a - b)
    last = id
    return from < 0 ? [id] : ids.slice(from, to + 1)
  }
  const box = (onchange, label) => {
    const input = document.createElement("input")
    input.type = "checkbox"
    input.onclick = (event) => { shift = event.shiftKey }
    input.onchange = onchange
    input.setAttribute("aria-label", label)
    return input
  }
  const mark = () => {
    const ids = picked()
    for (const row of rows()) {
      row.classList.toggle("open", row.dataset.id === model.open_id)
      const input = row.querySelector("td.pick input")
      if (input) { input.checked = ids.has(row.dataset.id) }
    }
    const all = table.querySelector("input.all")
    if (all) { all.checked = rows().length > 0 && rows().every((row) => ids.has(row.dataset.id)) }
  }
  // The widest columns give way until the table fits; a table of too many columns still scrolls.
  const fit = () => {
    frame.style.setProperty("--widest", `${WIDEST}px`)
    let over = table.scrollWidth - frame.clientWidth
    if (over <= 0 || !table.rows.length) { return }
    const widths = [...table.rows[0].cells].map((cell) => cell.offsetWidth).sort((a, b) => b - a)
    let widest = widths[0]
    for (let n = 1; n <= widths.length && over > 0; n++) {
      const step = Math.min(over / n, widest - Math.max(widths[n] || 0, NARROWEST))
      if (step <= 0) { continue }
      widest -= step
      over -= step * n
    }
    frame.style.setProperty("--widest", `${Math.floor(widest) - PADDING}px`)
  }
  const draw = () => {
    table.replaceChildren()
    head()
    body()
    mark()
    fit()
  }
  draw()
  const seen = new ResizeObserver(fit)
  seen.observe(frame)
  model.on("remove", () => seen.disconnect())
  model.on(["rows", "columns", "sort", "descending", "selectable", "openable"], draw)
  model.on(["selected", "open_id"], mark)
}
