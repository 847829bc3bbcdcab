// Runs before the SDK is loaded: takes away what this browser shall not have,
// and notes what the page asks for.
for (const name of new URLSearchParams(location.search).getAll("no")) {
  if (name === "locks") delete Navigator.prototype.locks
  else delete window[name]
}

window.asked = []
const ask = window.fetch
window.fetch = (input, init) => {
  const request = new Request(input, init)
  window.asked.push(request.method + " " + new URL(request.url).pathname)
  return ask(input, init)
}

window.violations = []
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.violatedDirective))
