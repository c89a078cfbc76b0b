// A drop zone whose file goes to the API by HTTP, with progress; only names and answers reach Python.
export function render({model, el}) {
  const zone = document.createElement("label")
  const input = document.createElement("input")
  input.type = "file"
  input.accept = model.accept
  const words = document.createElement("b")
  const hint = document.createElement("span")
  hint.className = "faint"
  const bar = document.createElement("progress")
  bar.max = 1
  bar.hidden = true
  zone.append(input, words, hint, bar)
  el.append(zone)
  let file = null
  const tell = () => {
    words.textContent = file ? file.name : "Choose a file or drop it here"
    hint.textContent = file ? size(file.size) : model.hint
  }
  const size = (bytes) => bytes < 1e3 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
  const take = (chosen) => {
    if (!chosen) { return }
    file = chosen
    tell()
    model.send_msg({chosen: file.name})
  }
  input.onchange = () => take(input.files[0])
  zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("over") }
  zone.ondragleave = () => zone.classList.remove("over")
  zone.ondrop = (event) => { event.preventDefault(); zone.classList.remove("over"); take(event.dataTransfer.files[0]) }
  model.on("msg:custom", ({fields}) => {
    if (!file) {
      model.send_msg({fault: {error: "Choose a file first.", context: {}}})
      return
    }
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, typeof value === "string" ? value : JSON.stringify(value))
    }
    form.append("file", file, file.name)
    const request = new XMLHttpRequest()
    request.open("POST", `./api/v1${model.path}`)
    request.upload.onprogress = (event) => { bar.hidden = false; bar.value = event.loaded / event.total }
    request.onload = () => {
      bar.hidden = true
      let body = {}
      try { body = JSON.parse(request.responseText) } catch { body = {error: `The server answered ${request.status}.`} }
      model.send_msg(request.status < 300 ? {answer: body, status: request.status} : {fault: body})
    }
    request.onerror = () => {
      bar.hidden = true
      model.send_msg({fault: {error: "The server cannot be reached. Try again.", context: {}}})
    }
    request.send(form)
  })
  tell()
}
