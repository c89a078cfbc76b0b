// <wb-time> shows a moment relative to now, <wb-id> copies an id. Registered once per browser page.
const STEPS = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [2592000, 86400, "day"], [31536000, 2592000, "month"], [Infinity, 31536000, "year"]]
const words = new Intl.RelativeTimeFormat("en", {numeric: "auto"})

export function relative(at, now) {
  const seconds = (at - now) / 1000
  const distance = Math.abs(seconds)
  if (distance < 10) { return "just now" }
  const [, size, unit] = STEPS.find(([limit]) => distance < limit)
  return words.format(Math.trunc(seconds / size), unit)
}

const shown = new Set()

class Moment extends HTMLElement {
  connectedCallback() { shown.add(this); this.draw() }
  disconnectedCallback() { shown.delete(this) }
  static get observedAttributes() { return ["at"] }
  attributeChangedCallback() { this.draw() }
  draw() {
    const at = Date.parse(this.getAttribute("at"))
    const text = Number.isNaN(at) ? this.textContent : relative(at, Date.now())
    if (text !== this.textContent) { this.textContent = text }
  }
}

// How long ago something happened in this browser: "0.2 s ago" at first, then less exact.
class Since extends HTMLElement {
  connectedCallback() { shown.add(this); this.draw(); setTimeout(() => this.draw(), 200) }
  disconnectedCallback() { shown.delete(this) }
  draw() {
    const from = Number(this.getAttribute("from"))
    const seconds = (Date.now() - from) / 1000
    this.textContent = seconds < 10 ? `${seconds.toFixed(1)} s ago` : relative(from, Date.now())
  }
}

class Id extends HTMLElement {
  connectedCallback() {
    this.onclick = async (event) => {
      event.stopPropagation()
      const text = this.textContent
      await navigator.clipboard.writeText(this.getAttribute("value"))
      this.textContent = "copied"
      setTimeout(() => { this.textContent = text }, 900)
    }
  }
}

// A plot that joins a shown view can be measured before it has a layout; Bokeh then throws and measures again later.
function calm_plots() {
  const view = window.Bokeh?.Models?.get("Figure")?.prototype.default_view?.prototype
  if (!view || view.measured_late) { return }
  view.measured_late = true
  for (const name of ["_measure_layout", "_after_layout"]) {
    const original = view[name]
    view[name] = function(...given) { if (this.layout != null) { original.apply(this, given) } }
  }
}

// Links between pages keep the choice of light or dark.
function keep_theme(event) {
  const link = event.composedPath().find((node) => node.tagName === "A" && node.href)
  const dark = new URLSearchParams(window.location.search).get("theme")
  if (!link || !dark || !link.getAttribute("href").startsWith("./")) { return }
  const target = new URL(link.href)
  target.searchParams.set("theme", dark)
  link.href = target.href
}

export function register() {
  calm_plots()
  if (customElements.get("wb-time")) { return }
  document.addEventListener("click", keep_theme, true)
  customElements.define("wb-time", Moment)
  customElements.define("wb-since", Since)
  customElements.define("wb-id", Id)
  setInterval(() => shown.forEach((element) => element.draw()), 5000)
}
