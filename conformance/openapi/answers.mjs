// What the vendors answer, as far as nuncio minds: that it went well, and that a list has a second page.

const ANSWERS = { github, sendgrid, slack, stripe };

/** Answers the request. */
export function answer(service, request, response) {
  ANSWERS[service](request, response);
}

function record(id) {
  return { id, email: `${id}@example.com` };
}

function stripe({ query }, response) {
  const first = !query.starting_after && !query.page;
  response.json({ data: [record(first ? "first" : "second")], has_more: first, next_page: first ? "made-up-page" : null });
}

function slack({ query }, response) {
  const first = !query.cursor && Number(query.page ?? 1) === 1;
  const lists = ["channels", "files", "items", "members", "messages"].map((name) => [name, [record(first ? "first" : "second")]]);
  const pages = { response_metadata: { next_cursor: first ? "made-up-cursor" : "" }, paging: { pages: 2, total: 2 } };
  response.json({ ok: true, ...Object.fromEntries(lists), ...pages });
}

/** A bare list, but `items` where GitHub searches. */
function github({ method, path, originalUrl, headers, query }, response) {
  const first = Number(query.page ?? 1) === 1;
  if (method !== "GET") {
    response.status(204).end();
    return;
  }
  if (first) {
    response.set("Link", `<http://${headers.host}${originalUrl}&page=2>; rel="next"`);
  }
  const records = [record(first ? "first" : "second")];
  response.json(path.startsWith("/search/") ? { total_count: 2, items: records } : records);
}

/** A bare list, of which a full page is not the last, but `result` where the address of the next page is told. */
function sendgrid({ originalUrl, headers, query }, response) {
  if (query.page_size) {
    const next = query.page_token ? undefined : `http://${headers.host}${originalUrl}&page_token=made-up-token`;
    response.json({ result: [record(next ? "first" : "second")], _metadata: { count: 2, next } });
  } else {
    const number = Number(query.offset) ? 1 : Number(query.limit ?? 1);
    response.json(Array.from({ length: number }, (_, index) => record(`user-${Number(query.offset ?? 0) + index}`)));
  }
}
