import * as client from 'openid-client';
import * as jose from 'jose';
import { api, callback, equal, holds, issuer, page, person, refused, register, run, test, visit } from './harness.mjs';

const insecure = { execute: [client.allowInsecureRequests] }; // the issuer of a test has no TLS

// app registers an application and discovers the server as it.
async function app(metadata, auth) {
  const made = await register({
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile email offline_access notes:read',
    doorward_resources: [api],
    ...metadata,
  });
  return client.discovery(issuer, made.client_id, { client_secret: made.client_secret, ...metadata }, auth, insecure);
}

// begin makes what a sign-in remembers, and the parameters of its request.
async function begin(more = {}) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const parameters = {
    redirect_uri: callback,
    scope: 'openid email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  return { checks, parameters };
}

async function signIn(config, more = {}, how = {}) {
  const { checks, parameters } = await begin(more);
  const landed = await visit(client.buildAuthorizationUrl(config, parameters), how);
  return client.authorizationCodeGrant(config, landed, checks);
}

test('discovers the server', async () => {
  const config = await app({});
  const server = config.serverMetadata();
  equal(new URL(server.issuer).href, issuer.href, 'issuer');
  holds(server.jwks_uri, 'there are no keys');
  const oauth = await client.discovery(issuer, 'anybody', undefined, client.None(), { ...insecure, algorithm: 'oauth2' });
  equal(JSON.stringify(oauth.serverMetadata()), JSON.stringify(server), 'the other metadata');
});

test('signs a person in, refreshes and asks who they are', ['userinfo_endpoint'], async () => {
  const ana = await person();
  for (const [method, auth] of [
    ['client_secret_basic', undefined],
    ['client_secret_post', (secret) => client.ClientSecretPost(secret)],
    ['none', () => client.None()],
  ]) {
    const made = await register({ token_endpoint_auth_method: method, grant_types: ['authorization_code', 'refresh_token'], scope: 'openid email offline_access', doorward_resources: [api] });
    const config = await client.discovery(issuer, made.client_id, made.client_secret || undefined, method === 'client_secret_basic' ? client.ClientSecretBasic(made.client_secret) : auth(made.client_secret), insecure);
    const tokens = await signIn(config, {}, { fresh: true });
    const claims = tokens.claims();
    holds(tokens.refresh_token && tokens.expires_in > 0, `${method}: no refresh token`);
    const who = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    equal(who.email, ana.email, 'e-mail');
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    holds(next.access_token !== tokens.access_token && next.refresh_token !== tokens.refresh_token, `${method}: nothing was rotated`);
    equal(next.claims().sub, claims.sub, 'sub');
    await client.fetchUserInfo(config, next.access_token, claims.sub);
  }
});

test('takes the answer by a form', ['form_post'], async () => {
  const config = await app({});
  const tokens = await signIn(config, { response_mode: 'form_post' });
  holds(tokens.claims().sub, 'nobody signed in');
});

test('is told of what the person refused', ['authorization_endpoint'], async () => {
  const config = await app({});
  await refused(signIn(config, { prompt: 'consent' }, { refuses: true }), 'access_denied');
  await refused(signIn(config, { prompt: 'none' }, { fresh: true }), 'login_required');
});

test('asks in its own name', ['revocation_endpoint'], async () => {
  for (const doorward_token_format of ['jwt', 'opaque']) {
    const config = await app({ doorward_type: 'machine', grant_types: ['client_credentials'], redirect_uris: [], scope: 'notes:read', doorward_token_format });
    const tokens = await client.clientCredentialsGrant(config, { scope: 'notes:read', resource: api });
    holds(tokens.access_token && !tokens.refresh_token && !tokens.id_token, 'what was given is not an access token alone');
    const seen = await client.tokenIntrospection(config, tokens.access_token);
    holds(seen.active && seen.scope === 'notes:read' && seen.client_id === config.clientMetadata().client_id, `introspected: ${JSON.stringify(seen)}`);
    await client.tokenRevocation(config, tokens.access_token);
    equal((await client.tokenIntrospection(config, tokens.access_token)).active, false, 'active');
  }
});

test('revokes what it was given', ['revocation_endpoint', 'authorization_endpoint'], async () => {
  const config = await app({});
  const tokens = await signIn(config);
  await client.tokenRevocation(config, tokens.refresh_token);
  await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
  equal((await client.tokenIntrospection(config, tokens.access_token)).active, false, 'active');
});

test('signs in a device', ['device_authorization_endpoint'], async () => {
  const config = await app({ grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], token_endpoint_auth_method: 'none', doorward_type: 'native', redirect_uris: [] }, client.None());
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid email' });
  holds(device.interval >= 5 && device.expires_in > 0, JSON.stringify(device));
  await page(device.verification_uri_complete ?? device.verification_uri, { says: { user_code: device.user_code } });
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.1 });
  holds(tokens.claims().sub, 'nobody signed in');

  const other = await client.initiateDeviceAuthorization(config, { scope: 'openid' });
  await page(other.verification_uri, { says: { user_code: other.user_code }, refuses: true });
  await refused(client.pollDeviceAuthorizationGrant(config, { ...other, interval: 0.1 }), 'access_denied');
});

async function keys(alg = 'ES256') {
  const pair = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await jose.exportJWK(pair.publicKey)), alg, kid: `k-${alg}`, use: 'sig' };
  return { pair, jwk, key: { key: pair.privateKey, kid: jwk.kid } };
}

test('proves itself by its key', ['revocation_endpoint', 'token_endpoint_auth_signing_alg_values_supported'], async () => {
  for (const alg of ['ES256', 'PS256', 'EdDSA']) {
    const own = await keys(alg);
    const config = await app({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [own.jwk] } }, client.PrivateKeyJwt(own.key));
    const tokens = await signIn(config);
    await client.refreshTokenGrant(config, tokens.refresh_token);
    await client.tokenRevocation(config, tokens.access_token);
  }
});

test('pushes its request', ['pushed_authorization_request_endpoint'], async () => {
  const config = await app({ require_pushed_authorization_requests: true });
  const { checks, parameters } = await begin();
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
  const tokens = await client.authorizationCodeGrant(config, await visit(url), checks);
  holds(tokens.claims().sub, 'nobody signed in');
  const plain = await begin();
  await refused(
    (async () => client.authorizationCodeGrant(config, await visit(client.buildAuthorizationUrl(config, plain.parameters)), plain.checks))(),
    'invalid_request',
  );
});

test('signs its request', ['request_object_signing_alg_values_supported'], async () => {
  const own = await keys();
  const config = await app({ jwks: { keys: [own.jwk] }, request_object_signing_alg: 'ES256' });
  const { checks, parameters } = await begin();
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, own.key);
  const tokens = await client.authorizationCodeGrant(config, await visit(url), checks);
  holds(tokens.claims().sub, 'nobody signed in');

  const pushed = await begin();
  const signed = await client.buildAuthorizationUrlWithJAR(config, pushed.parameters, own.key);
  const both = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams);
  await client.authorizationCodeGrant(config, await visit(both), pushed.checks);
});

test('binds its tokens to a key', ['dpop_signing_alg_values_supported', 'authorization_endpoint'], async () => {
  const config = await app({ token_endpoint_auth_method: 'none', doorward_type: 'native' }, client.None());
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const { checks, parameters } = await begin({ dpop_jkt: await DPoP.calculateThumbprint() });
  const landed = await visit(client.buildAuthorizationUrl(config, parameters));
  const tokens = await client.authorizationCodeGrant(config, landed, checks, undefined, { DPoP });
  equal(tokens.token_type, 'dpop', 'token_type');
  const who = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
  holds(who.sub, 'userinfo is empty');
  const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  equal(next.token_type, 'dpop', 'token_type');
  const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  await refused(client.refreshTokenGrant(config, next.refresh_token, undefined, { DPoP: thief }), 'invalid_grant');
  const bare = await fetch(config.serverMetadata().userinfo_endpoint, { headers: { authorization: `Bearer ${next.access_token}` } });
  equal(bare.status, 401, 'a bound token without its key');
});

test('trades a token for a narrower one', ['authorization_endpoint', 'urn:ietf:params:oauth:grant-type:token-exchange'], async () => {
  const config = await app({ grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'] });
  const tokens = await signIn(config, { scope: 'openid notes:read', resource: api });
  const traded = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: tokens.access_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'notes:read',
    audience: api,
  });
  equal(traded.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token', 'issued_token_type');
});

test('signs the person out', ['end_session_endpoint'], async () => {
  const config = await app({ post_logout_redirect_uris: ['https://app.example/bye'] });
  const tokens = await signIn(config, {}, { fresh: true });
  const url = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: 'https://app.example/bye', state: 'see you' });
  const landed = await visit(url);
  equal(landed.href, 'https://app.example/bye?state=see+you'.replace('+', landed.search.includes('%20') ? '%20' : '+'), 'landing');
  await refused(signIn(config, { prompt: 'none' }), 'login_required');
});

test('reads answers that are signed, and those that only it can read', ['id_token_encryption_alg_values_supported'], async () => {
  const enc = await jose.generateKeyPair('ECDH-ES', { extractable: true });
  const jwk = { ...(await jose.exportJWK(enc.publicKey)), alg: 'ECDH-ES', kid: 'e', use: 'enc' };
  const config = await app({
    jwks: { keys: [jwk] },
    id_token_encrypted_response_alg: 'ECDH-ES',
    id_token_encrypted_response_enc: 'A256GCM',
    userinfo_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
  });
  client.enableDecryptingResponses(config, ['A256GCM'], { key: enc.privateKey, kid: 'e', alg: 'ECDH-ES' });
  client.enableNonRepudiationChecks(config);
  const tokens = await signIn(config);
  equal(tokens.id_token.split('.').length, 5, 'parts of the ID token');
  holds((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).sub, 'userinfo is empty');
  holds((await client.tokenIntrospection(config, tokens.access_token)).active, 'the token is not active');
});

test('keeps to FAPI 2.0', ['pushed_authorization_request_endpoint', 'dpop_signing_alg_values_supported', 'token_endpoint_auth_signing_alg_values_supported'], async () => {
  const own = await keys();
  const config = await app({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [own.jwk] }, doorward_security_profile: 'fapi2' }, client.PrivateKeyJwt(own.key));
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const { checks, parameters } = await begin();
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
  const tokens = await client.authorizationCodeGrant(config, await visit(url), checks, undefined, { DPoP });
  equal(tokens.token_type, 'dpop', 'token_type');
  const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  holds(next.access_token, 'there is no token');
});

await run();
