import * as client from 'openid-client';
import { equal, holds, issuer, register, run, test } from './harness.mjs';

const insecure = { execute: [client.allowInsecureRequests] }; // the issuer of a test has no TLS

test('discovers the server', async () => {
  const app = await register({ token_endpoint_auth_method: 'client_secret_basic' });
  const config = await client.discovery(issuer, app.client_id, app.client_secret, undefined, insecure);
  const server = config.serverMetadata();
  equal(new URL(server.issuer).href, issuer.href, 'issuer');
  holds(server.jwks_uri, 'there is no jwks_uri');
  const oauth = await client.discovery(issuer, app.client_id, app.client_secret, undefined, { ...insecure, algorithm: 'oauth2' });
  equal(JSON.stringify(oauth.serverMetadata()), JSON.stringify(server), 'the other metadata');
});

await run();
