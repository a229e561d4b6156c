// Keeps on the node what is typed in the form of this page, so that a closed tab loses nothing.
const note = document.getElementById("keep-text")
const form = [...document.forms].find(
  (each) => each.method === "post" && new URL(each.action).pathname === location.pathname && !each.elements._continue
)

if (note && form) {
  const PAUSE = 1500
  // A browser sends no more of a page that is closed.
  const MOST_AT_THE_END = 60000
  const typed = () => new URLSearchParams(new FormData(form)).toString()
  let kept = typed()
  let timer
  let asked

  const keep = (isLast) => {
    const now = typed()
    if (now === kept) return
    const body = new URLSearchParams(now)
    body.set("_for", location.pathname)
    asked = new AbortController()
    fetch(note.dataset.to, {
      method: "POST",
      body,
      redirect: "error",
      signal: asked.signal,
      keepalive: isLast && now.length < MOST_AT_THE_END,
    }).then(
      (answer) => {
        if (!answer.ok) return
        kept = now
        note.hidden = false
      },
      () => {}
    )
  }

  form.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(keep, PAUSE, false)
  })
  form.addEventListener("submit", () => {
    clearTimeout(timer)
    asked?.abort()
    kept = typed()
  })
  addEventListener("pagehide", () => keep(true))
}
