// What the scripts of this directory share: they are clients, and nothing here
// helps a client with the protocol. The Go test that runs a script is its hand:
// it opens pages as a person, registers applications and takes the results.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const hand = process.env.DOORWARD_HAND;
export const issuer = new URL(process.env.DOORWARD_ISSUER);
export const api = 'https://api.example';
export const callback = 'https://app.example/cb';

async function ask(what, body = {}) {
  const answer = await fetch(`${hand}/${what}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// visit opens an address as the person at the browser and says where the
// browser was sent. With fresh the browser is new: nobody is signed in.
export async function visit(url, how = {}) {
  const landing = await ask('visit', { url: String(url), ...how });
  if (!landing.url) throw new Error(`the visit ended at ${landing.path} (${landing.status}): ${landing.text.slice(0, 300)}`);
  if (landing.method === 'POST') {
    const form = new URLSearchParams(landing.form);
    return new Request(landing.url, { method: 'POST', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  }
  return new URL(landing.url);
}

// page is visit for when the end is a page of the server's own.
export const page = (url, how = {}) => ask('visit', { url: String(url), ...how });

export const register = (metadata) => ask('register', { client_name: 'Notes', redirect_uris: [callback], ...metadata });
export const person = () => ask('person');
export const command = (...args) => ask('command', { args });
export const received = () => ask('received');

export function equal(got, want, what = 'value') {
  if (got !== want) throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);
}

export function holds(ok, what) {
  if (!ok) throw new Error(what);
}

// refused expects an OAuth error from what was begun.
export async function refused(promise, error) {
  let given;
  try {
    given = await promise;
  } catch (e) {
    const got = e.error ?? e.cause?.error ?? e.cause?.[0]?.parameters?.error ?? e.code;
    if (got !== error) throw new Error(`refused with ${got} (${e.message}), not ${error}`, { cause: e });
    return e;
  }
  throw new Error(`not refused with ${error}: ${JSON.stringify(given)}`);
}

const tests = [];
export const test = (name, needs, run) => tests.push(run ? { name, needs, run } : { name, needs: [], run: needs });

export async function run() {
  const server = await (await fetch(new URL('.well-known/openid-configuration', issuer))).json();
  for (const { name, needs, run } of tests) {
    const missing = needs.filter((n) => !(n in server || server.grant_types_supported.includes(n) || server.response_modes_supported.includes(n)));
    let error = '';
    try {
      holds(missing.length === 0, `the metadata list no ${missing}`);
      await run();
    } catch (e) {
      error = String(e.stack ?? e);
      for (let c = e.cause; c; c = c.cause) error += `\nbecause of ${c.stack ?? JSON.stringify(c)}`;
    }
    await ask('report', { name, error });
  }
}
