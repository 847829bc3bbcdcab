// Doorward in the browser. The access token lives in the closure of createAuth
// and nowhere else; the refresh token is a cookie that no script can read.
// What the functions promise stands in doorward.d.ts.

const freshProof = "insufficient_user_authentication" // RFC 9470 section 3
const second = 1000

// Time and chance. Date.now, unlike performance.now, goes on in sleep.
const browser = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, act) {
    const id = setTimeout(act, ms)
    return () => clearTimeout(id)
  },
}

const fault = (code, message, fix, ref = "") => Object.assign(new Error(message), { name: "DoorwardError", code, fix, ref })

// sameSite says whether a SameSite=Lax cookie goes from this page to an
// address. Only the browser knows the public suffixes: it takes no cookie for
// them (RFC 6265bis section 5.7).
function sameSite(other) {
  try {
    const { protocol, hostname } = new URL(other)
    if (protocol !== location.protocol) return false
    if (hostname === location.hostname) return true
    let domain = location.hostname
    while (domain && !("." + hostname).endsWith("." + domain)) domain = domain.replace(/^[^.]*\.?/, "")
    const probe = `doorward_probe=1;domain=${domain};samesite=strict;max-age=`
    document.cookie = probe + 9
    const taken = document.cookie.includes("doorward_probe=1")
    document.cookie = probe + 0
    return domain !== "" && taken
  } catch {
    return false // a sandboxed frame, which has no cookies
  }
}

export function createAuth({ issuer, audiences = [] }, { now, random, after } = browser) {
  const server = new URL(issuer).origin
  const allowed = [location.origin, ...audiences.map((a) => new URL(a).origin)]
  const name = "doorward " + server
  // A script of this origin could listen here; it could ask for a token too.
  const channel = globalThis.BroadcastChannel && new BroadcastChannel(name)
  const watchers = new Set(), log = []

  let state = "offline", user = null, error = null, token
  let asOf = 0 // when the youngest fact known here was asked for
  let facts = 0 // how many were learned
  let ends = 0, due = Infinity // of the token; of the next refresh
  let failures = 0, locked = 0, shown, flight, heard, listening
  let cancel = () => {}

  function note(what, outcome, ref = "") {
    log.push({ at: new Date(now()).toISOString(), what, outcome, ref })
    if (log.length > 10) log.shift()
  }

  // refusal makes an error of an answer that says no (RFC 9457).
  async function refusal(what, response) {
    const body = await response.clone().json().catch(() => 0) || {}
    const stale = body.error === freshProof || `${response.headers.get("WWW-Authenticate")}`.includes(freshProof)
    const problem = fault(
      stale ? freshProof : body.check || "http." + response.status,
      body.title || `The answer was ${response.status}.`,
      stale ? `Lead the person to ${server}/step-up?return_to=${encodeURIComponent(location)}` : body.fix || (body.ref ? "doorward explain " + body.ref : ""),
      body.ref,
    )
    problem.wait = response.headers.get("Retry-After") * second || 0
    note(what, body.check || problem.code, body.ref)
    return problem
  }

  // ask sends the server a request with the cookies.
  async function ask(method, path, signal) {
    try {
      // keepalive: the browser takes the new cookie even if the page goes.
      return await fetch(server + path, { method, signal, credentials: "include", keepalive: true })
    } catch {
      note(path, "no answer")
      throw fault("server.reached", "The server cannot be reached.",
        `If it is up, register ${location.origin} as origin of a first-party client, and allow it in connect-src.`)
    }
  }

  // fresh gets a new token: a fact without a token says that nobody is in.
  async function fresh() {
    const at = Math.max(now(), asOf), quit = new AbortController()
    // A lost answer is asked for again within the server's grace of 10 s;
    // slow networks get longer the next time.
    const done = after(5 * second * 2 ** Math.min(failures, 3), () => quit.abort())
    try {
      const response = await ask("POST", "/session/refresh", quit.signal)
      if (response.ok) {
        const { access_token, expires_in, user } = await response.json().catch(() => ({}))
        if (!access_token) throw fault("server.reached", "Something else answered.", "Look at " + server)
        note("refresh", "in")
        return { at, token: access_token, life: expires_in * second, user }
      }
      const problem = await refusal("refresh", response)
      if (response.status === 401 && problem.code !== freshProof) return { at }
      throw problem
    } finally {
      done()
    }
  }

  // learn takes a fact, unless something asked for later is known: an answer
  // that was on its way during a sign-out must not undo it.
  function learn({ at, token: given, life, user: who }) {
    if (at < asOf) return
    asOf = at
    facts++
    token = given
    user = given ? Object.freeze(who) : null
    error = null
    failures = 0
    state = given ? "in" : "out"
    ends = given ? at + life : 0
    due = given ? at + life * 0.8 * (0.9 + 0.2 * random()) : Infinity
    heard?.()
    show()
  }

  function tell(fact) {
    if (fact.at >= asOf) channel?.postMessage(fact)
    learn(fact)
  }

  // show plans the next refresh and calls back, but never under the lock.
  function show() {
    cancel()
    if (due < Infinity && !flight) cancel = after(Math.max(due - now(), second), ifSeen)
    const is = JSON.stringify([state, user, error?.code])
    if (locked || is === shown) return
    shown = is
    const view = { state, user, error }
    for (const fn of watchers) queueMicrotask(() => fn(view.state, view))
  }

  const ifSeen = () => { document.hidden || refresh() }

  // alone works while no other tab does, at most 3 s later. The work learns how
  // long to listen first: the word of the tab that had the lock may come a
  // moment after it, and without locks tabs keep apart by chance.
  async function alone(work) {
    let begun
    const run = (wait) => async (lock) => {
      if (!lock) return
      locked++
      try { await (begun ??= work(wait)) } finally { locked-- }
    }
    const quit = new AbortController(), done = after(3 * second, () => quit.abort())
    try {
      await navigator.locks.request(name, { ifAvailable: true }, run(0))
      if (!begun) await navigator.locks.request(name, { signal: quit.signal }, run(100))
    } catch {
      // No locks here, too long a wait, or taken over by another tab.
      if (!begun) await navigator.locks?.request(name, { steal: true }, run(100)).catch(() => {})
    }
    done()
    return begun ??= work(second * random())
  }

  // refresh resolves, once the lock is free, to what went wrong.
  function refresh() {
    const before = facts
    return flight ??= alone(async (wait) => {
      if (wait && facts === before) await new Promise((done) => { heard = done; after(wait, done) })
      if (facts !== before) return
      try {
        tell(await fresh())
      } catch (problem) {
        if (facts !== before) return
        error = problem
        if (problem.code !== freshProof) state = "offline"
        due = now() + Math.max(problem.wait || 0, Math.min(2 ** failures++, 60) * second * (0.5 + random() / 2))
      }
      return error
    }).finally(() => {
      flight = undefined
      show()
    })
  }

  async function send(request) {
    if (token) request.headers.set("Authorization", "Bearer " + token)
    const response = await fetch(request)
    if (response.status === 401) {
      const problem = await refusal(request.method + " " + new URL(request.url).pathname, response)
      if (problem.code === freshProof) throw problem
    }
    return response
  }

  async function renew() {
    const problem = await refresh()
    if (problem) throw problem
  }

  if (channel) {
    channel.onmessage = ({ data }) => {
      note("another tab", data.token ? "in" : "out")
      learn(data)
    }
  }

  return Object.freeze({
    get state() { return state },
    get user() { return user },

    async start() {
      if (!listening) {
        listening = true
        document.addEventListener("visibilitychange", () => {
          if (state !== "in" || error || now() >= due) ifSeen()
        })
        addEventListener("online", () => { if (state === "offline") ifSeen() })
      }
      const problem = await refresh()
      if (state !== "in" && ![server, ...location.ancestorOrigins || []].every(sameSite)) {
        throw fault("cookie.site", `${location.host} and ${server} are different sites, so the browser keeps the cookie back.`,
          "Serve the page from the server's site (app.example.com beside auth.example.com), keep the session on the page's own server, or use the redirect flow with PKCE.")
      }
      if (problem?.code === freshProof) throw problem
    },

    onChange(fn) {
      watchers.add(fn)
      return () => watchers.delete(fn)
    },

    async fetch(input, init) {
      const request = new Request(input, init)
      if (!allowed.includes(new URL(request.url).origin)) return fetch(request)
      if (state !== "out" && now() >= ends) await renew()
      const used = token
      const response = await send(request.clone())
      if (response.status !== 401 || !used) return response
      if (used === token) await renew()
      return token ? send(request) : response
    },

    signIn({ returnTo = location.href } = {}) {
      const to = new URL(returnTo, location.href)
      if (to.origin !== location.origin) throw fault("return.own", "returnTo leads to another origin.", "Give an address of this page's own origin.")
      location.assign(server + "/sign-in?return_to=" + encodeURIComponent(to))
    },

    async signOut() {
      // By the cookies: an access token may be over by now.
      const response = await ask("DELETE", "/session")
      if (!response.ok && response.status !== 401) throw await refusal("sign-out", response)
      note("sign-out", "out")
      tell({ at: Math.max(now(), asOf) + 1 })
    },

    explain() {
      console.table(log)
      return [...log]
    },
  })
}
