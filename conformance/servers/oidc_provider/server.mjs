// A certified OAuth 2.0 server (npm: oidc-provider) and an API that takes its tokens: node server.mjs PORT
//
// /token                   the token endpoint, of which the server describes itself at the well-known places
// /orders/ID               done with a good token
// /counts                  what the server itself counted
// /private-key             the key of the client `signed`

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
// Everything that form encoding changes, and what ends a user name in a Basic header.
const ODD = 'made up: +%/&=?#~"\\';

// How often a token of the client `fickle` is good, though it has not expired.
const USES = 30;

const client = (client_id, client_secret, token_endpoint_auth_method = 'client_secret_basic') => ({
  client_id,
  client_secret,
  token_endpoint_auth_method,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

// What a person logs in with: a program on her machine, which has no secret to keep.
const native = {
  client_id: 'native',
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1/callback'],
};

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...key.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client('basic', 'made-up-secret-of-basic'),
    client('post', 'made-up-secret-of-post', 'client_secret_post'),
    client(`odd ${ODD}`, `secret ${ODD}`),
    client(`odd post ${ODD}`, `secret ${ODD}`, 'client_secret_post'),
    client('brief', 'made-up-secret-of-brief'),
    client('fickle', 'made-up-secret-of-fickle'),
    { ...client('secret-jwt', 'made-up-secret-of-secret-jwt-which-is-long', 'client_secret_jwt') },
    { ...client('signed', undefined, 'private_key_jwt'), jwks: { keys: [jwk] } },
    native,
    { ...client('reader', 'made-up-secret-of-reader'), scope: 'orders.read' },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  jwks: { keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig' }] },
  // Whoever asks is Ada, and agrees.
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  cookies: { keys: ['made-up-cookie-key'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: ['orders.read', 'orders.write'],
  ttl: {
    ClientCredentials: (_, __, client) => (client.clientId === 'brief' ? 3 : 600),
    AccessToken: 3,
    RefreshToken: 600,
    DeviceCode: 600,
    Grant: 600,
    Session: 600,
    Interaction: 600,
    IdToken: 600,
  },
});

const counts = { requests: 0, granted: 0, refused: [], scopes: [], done: [], unauthorized: 0, grants_revoked: 0 };
// How often each token was used.
const uses = new Map();

provider.on('grant.success', ctx => {
  counts.granted += 1;
  counts.scopes.push(ctx.body.scope ?? null);
});
provider.on('grant.error', (_, error) => counts.refused.push(error.error));

provider.on('grant.revoked', () => (counts.grants_revoked += 1));

const tokens = provider.callback();

// Logs Ada in, and agrees to what is asked for.
async function agree(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? 'ada';
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? 'openid');
  const consent = prompt.name === 'login' ? undefined : { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { login: { accountId }, consent }, { mergeWithLastSubmission: true });
}

async function order(request, path) {
  const value = request.headers.authorization?.replace(/^Bearer /, '');
  const token = value && ((await provider.ClientCredentials.find(value)) ?? (await provider.AccessToken.find(value)));
  const used = uses.get(value) ?? 0;
  if (!token?.isValid || (token.clientId === 'fickle' && used === USES)) {
    counts.unauthorized += 1;
    return [401, { error: 'invalid_token' }];
  }
  uses.set(value, used + 1);
  counts.done.push(path);
  return [200, { client: token.clientId }];
}

async function answer(request) {
  const path = request.url.split('?')[0];
  if (path === '/counts') return [200, { ...counts, used: uses.size }];
  return order(request, path);
}

createServer(async (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/token') counts.requests += 1;
  if (path.startsWith('/interaction/')) return agree(request, response);
  if (path === '/private-key') return response.end(key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  if (path !== '/counts' && !path.startsWith('/orders/')) return tokens(request, response);
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 401 && { 'www-authenticate': 'Bearer' }) });
  response.end(JSON.stringify(body));
}).listen(port, '127.0.0.1');
