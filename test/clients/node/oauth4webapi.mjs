import * as oauth from 'oauth4webapi';
import { createRemoteJWKSet } from 'jose';
import { equal, holds, issuer, run, test } from './harness.mjs';

const insecure = { [oauth.allowInsecureRequests]: true }; // the issuer of a test has no TLS

async function discover(algorithm) {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}

test('discovers the server', async () => {
  const as = await discover('oidc');
  equal(JSON.stringify(await discover('oauth2')), JSON.stringify(as), 'the other metadata');
  const keys = createRemoteJWKSet(new URL(as.jwks_uri));
  await keys.reload();
  holds(keys.jwks().keys.length > 0, 'there are no keys');
  for (const key of keys.jwks().keys) holds(key.kid && key.alg && key.use === 'sig' && !key.d, 'a key lacks what finds it, or has what signs');
});

await run();
