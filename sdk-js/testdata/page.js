// The page of the tests: one auth, and a clock that tests move on.
import { createAuth } from "/sdk/doorward.js"

const query = new URLSearchParams(location.search)
const issuer = query.get("issuer") || location.origin
const timers = new Set()
let ahead = 0

const clock = {
  now: () => Date.now() + ahead,
  random: () => Number(query.get("chance") || 0.5),
  after(ms, act) {
    const timer = { ms, at: clock.now() + ms, fire() { timers.delete(timer); clearTimeout(timer.id); act() } }
    if (ms < 1000) timer.id = setTimeout(timer.fire, ms) // longer waits are the test's
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
  passes: 0,
  pass(seconds) {
    page.passes++
    ahead += seconds * 1000
    for (const timer of [...timers]) if (timer.at <= clock.now()) timer.fire()
  },
  // next is for how many seconds, rounded up, the next timer was set.
  next: () => timers.size && Math.ceil(Math.min(...[...timers].map((t) => t.ms)) / 1000),

  // settled waits for the end of a refresh under way.
  settled: () => navigator.locks.request(lock, () => "settled"),

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
