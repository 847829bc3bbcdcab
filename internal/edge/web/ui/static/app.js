// Comfort only: every page works without this file. Controls that need it ship hidden and are shown here.

// Older browsers know autofocus only on fields; the box with the error is none.
if (!("autofocus" in HTMLElement.prototype)) document.getElementById("alert")?.focus();

for (const button of document.querySelectorAll("button[data-reveals]")) {
  const field = document.getElementById(button.dataset.reveals);
  const show = (on) => {
    field.type = on ? "text" : "password";
    button.setAttribute("aria-pressed", String(on));
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // Browsers may store what a text field held.
  field.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}

// The link of a mail is a secret until its button is pressed: it leaves the history.
if (document.querySelector("[data-once]")) history.replaceState(null, "", location.pathname);

// So is the setup code, which comes in the fragment: no server's log has it.
const setup = document.querySelector("[data-fragment]");
if (setup && location.hash.length > 1) {
  setup.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

// An answer that goes back to an application in a form goes by itself.
document.querySelector("form[data-leaves]")?.submit();

// Tabs of this origin tell each other that nobody is signed in any more, in the words of the browser SDK. One that
// shows somebody's account asks the server again.
const tabs = globalThis.BroadcastChannel && new BroadcastChannel("doorward " + location.origin);
if (document.querySelector("[data-out]")) tabs?.postMessage({ at: Date.now() });
if (tabs && document.querySelector(".portal, form[action='/consent'], form[action='/device/confirm'], form[action='/choose-account'], form[action='/step-up'], form[action='/sign-out']")) {
  tabs.onmessage = ({ data }) => { data.token || location.replace(location.pathname + location.search); };
}
