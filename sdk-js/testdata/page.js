// The page of the tests: one auth, and a clock that tests move.
import { createAuth } from "/sdk/doorward.js"

const query = new URLSearchParams(location.search)
const issuer = query.get("issuer") || location.origin
const timers = new Set()
let ahead = 0

const clock = {
  now: () => Date.now() + ahead,
  random: () => 0.5,
  after(ms, act) {
    const timer = { at: clock.now() + ms, fire() { timers.delete(timer); clearTimeout(timer.id); act() } }
    timer.id = setTimeout(timer.fire, ms)
    timers.add(timer)
    return () => { timers.delete(timer); clearTimeout(timer.id) }
  },
}

const auth = createAuth({ issuer, audiences: query.getAll("audience"), clientId: "app", scope: "account" }, clock)
const lock = "doorward " + new URL(issuer).origin

window.page = {
  auth, lock,
  seen: [], // what onChange said
  free: [], // whether the lock was free then
  started: "",

  // pass lets time pass at once.
  pass(seconds) {
    ahead += seconds * 1000
    for (const timer of [...timers]) if (timer.at <= clock.now()) timer.fire()
  },
  // next is in how many seconds the next timer is due.
  next: () => timers.size && Math.round((Math.min(...[...timers].map((t) => t.at)) - clock.now()) / 1000),

  refreshes: () => window.asked.filter((a) => a === "POST /session/refresh").length,

  async enter(email, password) {
    const response = await fetch(issuer + "/session", {
      method: "POST", credentials: "include",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email, password }),
    })
    return String(response.status)
  },
  get: (path, init) => auth.fetch(path, init).then(async (r) => `${r.status} ${await r.text()}`.trim(), (e) => e.code || e.name),
  out: () => auth.signOut().then(() => "done", (e) => e.code),
}

auth.onChange((state, view) => {
  page.seen.push([state, view.user?.email, view.error?.code].join(" ").trim())
  navigator.locks?.request(lock, { ifAvailable: true }, (l) => { page.free.push(l !== null) })
})

// All tabs at once, as after a sleep. A storage event reaches them also where
// there is no BroadcastChannel.
page.all = (seconds) => { localStorage.setItem("pass", `${Math.random()} ${seconds}`); page.pass(seconds) }
addEventListener("storage", (e) => { if (e.key === "pass") page.pass(Number(e.newValue.split(" ")[1])) })

auth.start().then(() => { page.started = "yes" }, (e) => { page.started = e.code })
