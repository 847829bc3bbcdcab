// Runs before the SDK is loaded: takes away what this browser shall not have,
// and notes what the page asks for.
for (const name of new URLSearchParams(location.search).getAll("no")) {
  if (name === "locks") delete Navigator.prototype.locks
  else delete window[name]
}

window.asked = []
const ask = window.fetch
window.fetch = (input, init) => {
  window.asked.push((init?.method || input.method || "GET") + " " + new URL(input.url || input, location.href).pathname)
  return ask(input, init)
}

window.violations = []
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.violatedDirective))
