// The page of the orders demo. The access token lives in the closure of
// session() and nowhere else: not in storage, not in the address, not on window.

const $ = (id) => document.getElementById(id)
const signInPath = "/sign-in?return_to=/demo"

// quiet are the checks that fail when nobody was signed in to begin with.
const quiet = ["", "refresh.form"]

// A Refused is an answer that said no, with the words of its problem body.
class Refused extends Error {
  constructor(status, problem, challenge) {
    super(problem.title || `The server answered ${status}.`)
    this.status = status
    this.detail = problem.detail || ""
    this.check = problem.check || ""
    this.ref = problem.ref || ""
    this.stepUp = challenge.includes("insufficient_user_authentication")
  }
}

async function refusedBy(response) {
  const problem = await response.json().catch(() => ({}))
  return new Refused(response.status, problem, response.headers.get("WWW-Authenticate") || "")
}

// session holds the token. changed is called whenever who is signed in changes.
function session(changed) {
  let token = null
  let current = null // { id, user }
  let due = 0 // when to refresh, in milliseconds of this tab's clock
  let underway = null

  function take(answer) {
    token = answer.access_token
    // Refresh at 80 % of the token's life.
    due = performance.now() + answer.expires_in * 800
    const before = current?.id
    current = { id: answer.session?.id, user: answer.user || {} }
    if (before !== current.id) changed(current)
  }

  function drop() {
    const had = current !== null
    token = current = null
    due = 0
    if (had) changed(null)
  }

  async function ask() {
    const response = await fetch("/session/refresh", {
      method: "POST", credentials: "same-origin", headers: { Accept: "application/json" },
    })
    if (response.ok) return take(await response.json())
    const refused = await refusedBy(response)
    // Only a 401 without a call for fresh proof means that the session is over.
    if (refused.status === 401 && !refused.stepUp) drop()
    throw refused
  }

  // One refresh at a time in this tab; the server's grace covers other tabs.
  function refresh() {
    underway ??= ask().finally(() => { underway = null })
    return underway
  }

  async function call(path, options = {}) {
    const send = () => fetch(path, {
      ...options, credentials: "same-origin",
      headers: { Accept: "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    })
    let response = await send()
    if (response.status === 401) {
      const refused = await refusedBy(response)
      if (refused.stepUp) throw refused
      await refresh().catch((error) => {
        // That nobody is signed in here any more says nothing of why: the API did.
        throw error instanceof Refused && quiet.includes(error.check) ? refused : error
      })
      response = await send()
    }
    if (!response.ok) throw await refusedBy(response)
    return response.status === 204 ? null : response.json()
  }

  return {
    refresh, call, drop,
    get current() { return current },
    get due() { return current !== null && performance.now() >= due },
  }
}

const tabs = "BroadcastChannel" in window ? new BroadcastChannel("orders-demo") : null
const me = session(render)

function element(name, text, className) {
  const e = document.createElement(name)
  if (text !== undefined) e.textContent = text
  if (className) e.className = className
  return e
}

// --- who is signed in -------------------------------------------------------

function render(current) {
  const inside = current !== null
  $("sign-in").hidden = inside
  $("sign-out").hidden = $("foreign").hidden = !inside
  $("orders-empty").hidden = inside
  $("order-list").replaceChildren()
  listed = ""
  $("orders-empty").textContent = "Orders are private."
  $("state").textContent = inside ? `Signed in as ${current.user.email || current.user.name || current.user.id || "you"}` : "You are not signed in."
  if (!inside) {
    if ($("exchanges").children.length === 0) $("exchanges-state").textContent = "Nothing yet. Press Sign in and watch this side."
    return
  }
  hideRefusal()
  forgetExchanges()
  showOrders().catch(explain)
  followExchanges()
}

let listed = ""

async function showOrders() {
  const { orders } = await me.call("/orders")
  const text = JSON.stringify(orders)
  if (text === listed) return // a reader is not disturbed by the same again
  listed = text
  $("order-list").replaceChildren(...orders.map((order) => {
    const line = element("li")
    line.append(element("code", order.id), order.what)
    return line
  }))
  $("orders-empty").hidden = orders.length > 0
  $("orders-empty").textContent = "You have no orders."
}

// --- why not ----------------------------------------------------------------

let shown = "" // what the box says, so that the same is not announced each second

function explain(error, byHand = false) {
  const refused = error instanceof Refused
  const what = refused ? `${error.status} ${error.check}` : "away"
  if (!byHand && !$("refusal").hidden && shown === what) return
  shown = what
  $("refusal-title").textContent = refused ? error.message : "The server cannot be reached."
  $("refusal-detail").textContent = refused ? error.detail : "You are still signed in. This page tries again by itself."
  $("refusal-code").textContent = refused ? [error.check, error.ref].filter(Boolean).join(" · ") : ""
  const link = $("refusal-link")
  $("refusal-next").hidden = !(refused && error.status === 401)
  link.textContent = refused && error.stepUp ? "Confirm that it is you" : "Sign in again"
  link.href = refused && error.stepUp ? "/step-up?return_to=/demo" : signInPath
  $("refusal").hidden = false
  if (byHand) $("refusal").focus()
}

function hideRefusal() {
  $("refusal").hidden = true
  shown = ""
}

// act runs what a button stands for, once at a time.
function act(button, what) {
  button.addEventListener("click", async () => {
    button.disabled = true
    hideRefusal()
    try {
      await what()
    } catch (error) {
      explain(error, true)
    } finally {
      button.disabled = false
      followExchanges()
    }
  })
}

act($("foreign"), async () => {
  const order = await me.call(`/orders/${encodeURIComponent($("foreign").dataset.order)}`)
  $("state").textContent = `Order ${order.id} was opened: it is yours.`
})

act($("sign-out"), async () => {
  // An answer of 401 says that it was over already.
  await me.call("/session", { method: "DELETE" }).catch((error) => {
    if (error.status !== 401) throw error
  })
  me.drop()
  tabs?.postMessage("out")
  $("sign-in").focus()
})

// --- what the server did ----------------------------------------------------

const exchangesMost = 200
let last = ""
let following = false
let pause = 0 // ticks to leave out after a failure
let strikes = 0
let mute = false // this server does not tell

function forgetExchanges() {
  last = ""
  mute = false
  strikes = pause = 0
  $("exchanges").replaceChildren()
}

function exchangeLine(x) {
  const passed = x.outcome === "passed"
  const line = element("li", undefined, passed ? "" : "turned-down")
  const details = element("details")
  const summary = element("summary")
  const time = element("time", new Date(x.at).toLocaleTimeString())
  time.dateTime = x.at
  summary.append(time, " ", element("b", x.exchange), " ", element("span", passed ? "✓ passed" : "✕ refused", passed ? "passed" : "failed"))
  const checks = element("ul")
  for (const check of x.checks || []) {
    const item = element("li")
    item.append(element("span", check.ok ? "✓ held" : "✕ failed", check.ok ? "passed" : "failed"), " ", element("code", check.id), ` ${check.says || ""}`)
    checks.append(item)
  }
  details.append(summary, checks)
  if (x.ref) details.append(element("p", `Reference ${x.ref}`, "small"))
  line.append(details)
  return line
}

// followExchanges reads what is new since the last line. That is also how this
// tab learns, and says, that its session ended elsewhere.
async function followExchanges() {
  if (following || mute || me.current === null || document.hidden) return
  following = true
  const asked = me.current.id
  try {
    const { exchanges } = await me.call(`/session/exchanges${last && `?after=${encodeURIComponent(last)}`}`)
    strikes = 0
    if (shown === "away") hideRefusal()
    if (me.current?.id !== asked || exchanges.length === 0) return
    last = exchanges.at(-1).id
    const list = $("exchanges")
    list.append(...exchanges.map(exchangeLine))
    while (list.children.length > exchangesMost) list.firstChild.remove()
    const n = list.children.length
    $("exchanges-state").textContent = `${n} ${n === 1 ? "exchange" : "exchanges"}. Each line opens to its checks.`
  } catch (error) {
    if (error instanceof Refused && error.status === 404) {
      mute = true
      $("exchanges-state").textContent = "This server does not tell."
    } else {
      pause = Math.min(2 ** ++strikes, 30)
      explain(error)
    }
  } finally {
    following = false
  }
}

// --- time passes ------------------------------------------------------------

async function restore() {
  const before = me.current
  try {
    await me.refresh()
    if (before) hideRefusal()
  } catch (error) {
    if (me.current === null) render(null)
    const nobody = error instanceof Refused && error.status === 401 && !error.stepUp && quiet.includes(error.check)
    if (before || !nobody) explain(error)
  }
}

let failures = 0
let waiting = 0

// tick runs each second while the page is visible.
async function tick() {
  if (document.hidden) return
  if (me.due && --waiting <= 0) {
    await restore()
    // After a failure the pause doubles, up to half a minute.
    failures = me.due ? failures + 1 : 0
    waiting = failures ? Math.min(2 ** failures, 30) : 0
  } else if (me.current !== null) {
    // The API checks the token by itself, so asking each second costs nobody much.
    await showOrders().catch(explain)
    if (--pause <= 0) await followExchanges()
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return
  // Somebody may have signed in or out in another tab meanwhile.
  if (me.current === null) restore()
  else tick()
})
// A page that comes back from the browser's own cache was asleep.
window.addEventListener("pageshow", (event) => { if (event.persisted) restore() })
tabs?.addEventListener("message", () => { if (me.current !== null) restore() })

$("state").textContent = "One moment: looking whether you are signed in."
await restore()
setInterval(tick, 1000)
