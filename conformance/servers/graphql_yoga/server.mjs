// A GraphQL server (npm: graphql-yoga) with Relay connections, failures and a bucket of points as Shopify has it: node server.mjs PORT

import { createServer } from 'node:http';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';

const port = Number(process.argv[2]);

const AUTHORS = ['ada', 'grace', 'edsger'];
const issues = Array.from({ length: 2500 }, (_, number) => ({
  id: `issue-${number}`,
  state: number % 5 === 0 ? 'CLOSED' : 'OPEN',
  author: { name: AUTHORS[number % AUTHORS.length] },
  // More digits than a double has.
  weight: `0.${number}000000000000000001`,
}));

const counts = { requests: 0, throttled: 0, busy: 0, done: [] };

const bucket = { maximum: 100, restoreRate: 200, available: 100, at: Date.now() };
const PRICE = 20;

/** Orders before which another client has spent all points, once each. */
const late = new Set(['late-0', 'late-10', 'late-20']);

/** Takes the price of an order, if there are points for it. */
function pay(id) {
  const now = Date.now();
  bucket.available = Math.min(bucket.maximum, bucket.available + ((now - bucket.at) / 1000) * bucket.restoreRate);
  bucket.at = now;
  if (late.delete(id)) bucket.available = 0;
  if (bucket.available < PRICE) return false;
  bucket.available -= PRICE;
  return true;
}

const cost = () => ({
  requestedQueryCost: PRICE,
  throttleStatus: {
    maximumAvailable: bucket.maximum,
    currentlyAvailable: Math.floor(bucket.available),
    restoreRate: bucket.restoreRate,
  },
});

/** What a mutation `order` costs: told with every answer, and refused when it cannot be paid. */
const pricing = {
  onExecute({ args, setResultAndStopExecution }) {
    if (!args.document.definitions.some(definition => definition.name?.value === 'Order')) return undefined;
    if (!pay(args.variableValues?.id)) {
      counts.throttled += 1;
      const throttled = new GraphQLError('Throttled', { extensions: { code: 'THROTTLED' } });
      setResultAndStopExecution({ errors: [throttled], extensions: { cost: cost() } });
      return undefined;
    }
    return { onExecuteDone: ({ result, setResult }) => setResult({ ...result, extensions: { cost: cost() } }) };
  },
};

function connection({ first, after, filter }) {
  const { states, author } = filter ?? {};
  const found = issues.filter(
    issue => (!states || states.includes(issue.state)) && (!author || author.names.includes(issue.author.name)),
  );
  const start = after ? found.findIndex(issue => issue.id === atob(after)) + 1 : 0;
  const nodes = found.slice(start, start + first);
  return {
    totalCount: found.length,
    nodes,
    pageInfo: { hasNextPage: start + first < found.length, endCursor: nodes.length ? btoa(nodes.at(-1).id) : null },
  };
}

const schema = createSchema({
  typeDefs: /* GraphQL */ `
    enum State { OPEN CLOSED }
    input Authors { names: [String!]! }
    input Filter { states: [State!], author: Authors }
    type Author { name: String! }
    type Issue { id: ID!, state: State!, author: Author!, weight: String!, secret: String }
    type PageInfo { hasNextPage: Boolean!, endCursor: String }
    type Issues { totalCount: Int!, nodes: [Issue!]!, pageInfo: PageInfo! }
    type Repository { issues(first: Int!, after: String, filter: Filter): Issues! }
    type Query { repository: Repository!, issue(id: ID!): Issue, busy(times: Int!): String }
    type Mutation { order(id: ID!): ID! }
  `,
  resolvers: {
    Query: {
      repository: () => ({ issues: connection }),
      issue: (_, { id }) => issues.find(issue => issue.id === id),
      busy: (_, { times }) => {
        if (counts.busy < times) {
          counts.busy += 1;
          throw new GraphQLError('come back later', { extensions: { code: 'TOO_BUSY' } });
        }
        return 'served';
      },
    },
    Issue: {
      secret: () => {
        throw new GraphQLError('not for you', { extensions: { code: 'FORBIDDEN' } });
      },
    },
    Mutation: {
      order: (_, { id }) => {
        counts.done.push(id);
        return id;
      },
    },
  },
});

const yoga = createYoga({ schema, plugins: [pricing], logging: false, graphiql: false });

createServer((request, response) => {
  if (request.url === '/counts') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...counts, ids: issues.map(issue => issue.id) }));
    return;
  }
  counts.requests += 1;
  yoga(request, response);
}).listen(port, '127.0.0.1');
