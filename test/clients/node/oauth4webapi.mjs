import * as oauth from 'oauth4webapi';
import { createRemoteJWKSet, exportJWK, generateKeyPair } from 'jose';
import { api, callback, equal, holds, issuer, person, refused, register, run, test, visit } from './harness.mjs';

const insecure = { [oauth.allowInsecureRequests]: true }; // the issuer of a test has no TLS

async function discover(algorithm) {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}

const as = await discover('oidc');

async function app(metadata) {
  const made = await register({
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile email offline_access notes:read',
    doorward_resources: [api],
    ...metadata,
  });
  return { ...metadata, client_id: made.client_id, secret: made.client_secret };
}

async function request(client, more = {}) {
  const own = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() };
  own.parameters = {
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(own.verifier),
    code_challenge_method: 'S256',
    state: own.state,
    nonce: own.nonce,
    ...more,
  };
  return own;
}

function authorizeAt(parameters) {
  const url = new URL(as.authorization_endpoint);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

async function redeem(client, auth, own, landed, options = {}) {
  const answer = oauth.validateAuthResponse(as, client, landed, own.state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, own.verifier, { ...insecure, ...options });
  return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: own.nonce, requireIdToken: true });
}

test('discovers the server', async () => {
  equal(JSON.stringify(await discover('oauth2')), JSON.stringify(as), 'the other metadata');
  const keys = createRemoteJWKSet(new URL(as.jwks_uri));
  await keys.reload();
  holds(keys.jwks().keys.length > 0, 'there are no keys');
  for (const key of keys.jwks().keys) holds(key.kid && key.alg && key.use === 'sig' && !key.d, 'a key lacks what finds it, or has what signs');
});

test('trades a code, reads who it is and checks the signatures by itself', ['userinfo_endpoint'], async () => {
  const client = await app({});
  const auth = oauth.ClientSecretBasic(client.secret);
  const own = await request(client, { scope: 'openid email offline_access' });
  const landed = await visit(authorizeAt(own.parameters), { fresh: true });
  equal(landed.searchParams.get('iss'), as.issuer, 'iss');
  const tokens = await redeem(client, auth, own, landed);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
  const who = await oauth.processUserInfoResponse(as, client, claims.sub, info);
  equal(who.email, (await person()).email, 'e-mail');

  const refresh = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, insecure);
  const next = await oauth.processRefreshTokenResponse(as, client, refresh);
  equal(oauth.getValidatedIdTokenClaims(next).sub, claims.sub, 'sub');

  // The access token is one of RFC 9068 to whoever owns its audience.
  const call = new Request(`${api}/notes`, { headers: { authorization: `Bearer ${next.access_token}` } });
  const read = await oauth.validateJwtAccessToken(as, call, [].concat(JSON.parse(atob(next.access_token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).aud)[0], insecure);
  equal(read.client_id, client.client_id, 'client_id');
});

test('is refused when a code comes twice, or without its verifier', ['userinfo_endpoint'], async () => {
  const client = await app({});
  const auth = oauth.ClientSecretBasic(client.secret);
  const own = await request(client);
  const landed = await visit(authorizeAt(own.parameters));
  const tokens = await redeem(client, auth, own, landed);
  await refused(redeem(client, auth, own, landed), 'invalid_grant');
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
  equal(info.status, 401, 'userinfo with the token that the code bought');
  const other = await request(client);
  const there = await visit(authorizeAt(other.parameters));
  await refused(redeem(client, auth, { ...other, verifier: oauth.generateRandomCodeVerifier() }, there), 'invalid_grant');
});

test('asks in its own name', async () => {
  const client = await app({ doorward_type: 'machine', redirect_uris: [], grant_types: ['client_credentials'], scope: 'notes:read', token_endpoint_auth_method: 'client_secret_post' });
  const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost(client.secret), new URLSearchParams({ scope: 'notes:read', resource: api }), insecure);
  const tokens = await oauth.processClientCredentialsResponse(as, client, response);
  const call = new Request(`${api}/notes`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(as, call, api, insecure);
  equal(claims.sub, client.client_id, 'sub');
  const refusal = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost(`${client.secret}x`), {}, insecure);
  equal(refusal.status, 401, 'status');
  const told = await oauth.processClientCredentialsResponse(as, client, refusal).catch((e) => e);
  equal(told.error, 'invalid_client', 'what the library makes of it');
});

test('proves its key at every step, with the nonce it is told', ['pushed_authorization_request_endpoint', 'dpop_signing_alg_values_supported'], async () => {
  const client = await app({ token_endpoint_auth_method: 'none', doorward_type: 'native' });
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const auth = oauth.None();
  const again = async (send, read) => {
    try {
      return await read(await send());
    } catch (e) {
      if (!oauth.isDPoPNonceError(e)) throw e;
      return read(await send());
    }
  };
  const own = await request(client);
  const pushed = await again(
    () => oauth.pushedAuthorizationRequest(as, client, auth, own.parameters, { DPoP, ...insecure }),
    (r) => oauth.processPushedAuthorizationResponse(as, client, r),
  );
  const landed = await visit(authorizeAt({ client_id: client.client_id, request_uri: pushed.request_uri }));
  const answer = oauth.validateAuthResponse(as, client, landed, own.state);
  const tokens = await again(
    () => oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, own.verifier, { DPoP, ...insecure }),
    (r) => oauth.processAuthorizationCodeResponse(as, client, r, { expectedNonce: own.nonce, requireIdToken: true }),
  );
  equal(tokens.token_type, 'dpop', 'token_type');
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  await again(
    () => oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure }),
    (r) => oauth.processUserInfoResponse(as, client, claims.sub, r),
  );
  const next = await again(
    () => oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, { DPoP, ...insecure }),
    (r) => oauth.processRefreshTokenResponse(as, client, r),
  );
  equal(next.token_type, 'dpop', 'token_type');
});

test('proves itself by an assertion, and pushes what it signed', ['pushed_authorization_request_endpoint', 'token_endpoint_auth_signing_alg_values_supported'], async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid: 'one', use: 'sig' };
  const client = await app({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
  const key = { key: pair.privateKey, kid: 'one' };
  const auth = oauth.PrivateKeyJwt(key);
  const own = await request(client);
  const signed = await oauth.issueRequestObject(as, client, own.parameters, key);
  const pushed = await oauth.pushedAuthorizationRequest(as, client, auth, { client_id: client.client_id, request: signed }, insecure);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
  const tokens = await redeem(client, auth, own, await visit(authorizeAt({ client_id: client.client_id, request_uri })));
  holds(oauth.getValidatedIdTokenClaims(tokens).sub, 'nobody signed in');
});

await run();
