// Boxes in levels by their distance from the root, joined by curves that are measured after layout.
export function render({model, el}) {
  const graph = document.createElement("div")
  graph.className = "graph"
  el.append(graph)
  const SVG = "http://www.w3.org/2000/svg"
  let boxes = new Map()

  const box = (node) => {
    const made = document.createElement(node.href ? "a" : "div")
    made.className = node.id === model.root ? "node root" : "node"
    if (node.href) { made.href = node.href }
    made.title = node.label
    for (const part of ["kind", "label"]) {
      const line = document.createElement("div")
      line.className = part
      line.textContent = node[part]
      made.append(line)
    }
    return made
  }

  const join = () => {
    graph.querySelector("svg")?.remove()
    const frame = graph.getBoundingClientRect()
    if (!frame.width) { return }
    const svg = document.createElementNS(SVG, "svg")
    for (const edge of model.edges) {
      const ends = [boxes.get(edge.from), boxes.get(edge.to)].map((b) => b && b.getBoundingClientRect())
      if (!ends[0] || !ends[1]) { continue }
      const [top, low] = ends[0].top < ends[1].top ? ends : [ends[1], ends[0]]
      const x1 = top.left + top.width / 2 - frame.left, y1 = top.bottom - frame.top
      const x2 = low.left + low.width / 2 - frame.left, y2 = low.top - frame.top
      const bend = (y2 - y1) / 2
      const path = document.createElementNS(SVG, "path")
      path.setAttribute("d", `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`)
      const title = document.createElementNS(SVG, "title")
      title.textContent = edge.relation
      path.append(title)
      svg.append(path)
    }
    graph.prepend(svg)
  }

  const draw = () => {
    boxes = new Map()
    const depths = [...new Set(model.nodes.map((node) => node.depth))].sort((a, b) => a - b)
    graph.replaceChildren(...depths.map((depth) => {
      const level = document.createElement("div")
      level.className = "level"
      for (const node of model.nodes.filter((n) => n.depth === depth)) {
        const made = box(node)
        boxes.set(node.id, made)
        level.append(made)
      }
      return level
    }))
    join()
  }
  draw()
  model.on(["nodes", "edges", "root"], draw)
  const observer = new ResizeObserver(join)
  observer.observe(graph)
  model.on("remove", () => observer.disconnect())
}
