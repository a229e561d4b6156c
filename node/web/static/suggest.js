// Suggestions while somebody types: without this, the boxes are as useful, only quieter.
function suggest(box) {
  const list = document.getElementById(box.getAttribute("list"))
  let waiting, latest = 0

  async function ask() {
    const asked = ++latest
    const answer = await fetch(`${box.dataset.suggestions}?q=${encodeURIComponent(box.value)}`)
    if (!answer.ok || asked !== latest) return
    const { suggestions } = await answer.json()
    list.replaceChildren(...suggestions.map((found) => {
      const option = document.createElement("option")
      option.value = found.value
      option.label = found.label
      option.lang = found.lang
      return option
    }))
  }

  box.addEventListener("input", () => {
    clearTimeout(waiting)
    if (box.value.trim().length > 1) waiting = setTimeout(ask, 150)
  })
}

document.querySelectorAll("input[data-suggestions]").forEach(suggest)
