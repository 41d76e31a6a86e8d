// A certified OAuth 2.0 server (npm: oidc-provider) and an API that takes its tokens: node server.mjs PORT
//
// /token                   the token endpoint
// /orders/ID               done with a good token
// /counts                  what the server itself counted

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

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client('basic', 'made-up-secret-of-basic'),
    client('post', 'made-up-secret-of-post', 'client_secret_post'),
    client(`odd ${ODD}`, `secret ${ODD}`),
    client(`odd post ${ODD}`, `secret ${ODD}`, 'client_secret_post'),
    client('brief', 'made-up-secret-of-brief'),
    client('fickle', 'made-up-secret-of-fickle'),
    { ...client('reader', 'made-up-secret-of-reader'), scope: 'orders.read' },
  ],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ['orders.read', 'orders.write'],
  ttl: { ClientCredentials: (_, __, client) => (client.clientId === 'brief' ? 3 : 600) },
});

const counts = { requests: 0, granted: 0, refused: [], scopes: [], done: [], unauthorized: 0 };
// How often each token was used.
const uses = new Map();

provider.on('grant.success', ctx => {
  counts.granted += 1;
  counts.scopes.push(ctx.body.scope ?? null);
});
provider.on('grant.error', (_, error) => counts.refused.push(error.error));

const tokens = provider.callback();

async function order(request, path) {
  const value = request.headers.authorization?.replace(/^Bearer /, '');
  const token = value && (await provider.ClientCredentials.find(value));
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
  if (request.url === '/token') {
    counts.requests += 1;
    return tokens(request, response);
  }
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 401 && { 'www-authenticate': 'Bearer' }) });
  response.end(JSON.stringify(body));
}).listen(port, '127.0.0.1');
