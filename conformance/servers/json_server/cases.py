"""json-server: numbered pages, offsets and links, sequential and several in flight; what is created is there once."""

import json
import pathlib

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
POSTS = 1_210
AUTHORS = ["ada", "grace", "edsger"]

database = support.work / "db.json"
posts = [{"id": id, "title": f"post {id}", "author": AUTHORS[id % 3]} for id in range(1, POSTS + 1)]
database.write_text(json.dumps({"posts": posts}))

port = support.free_port()
support.start([*support.SERVER, database, "--host", "127.0.0.1", "--port", port, "--quiet"], port)
SERVICE = ["--file", HERE / "json_server.yaml", "--base-url", f"http://127.0.0.1:{port}"]


def stored():
    return support.fetch(f"http://127.0.0.1:{port}/posts")


def pulled(operation, *words):
    records, ran = support.pull("json-server", operation, *words, *SERVICE)
    return [(record["id"], record["title"], record["author"]) for record in records], ran


def rows(posts):
    return [(post["id"], post["title"], post["author"]) for post in posts]


for strategy, pages in [("by_page", 25), ("by_offset", 41)]:
    for concurrency in [1, 8]:

        @case(f"a list {strategy} with {concurrency} in flight yields every row once, in order")
        def _(strategy=strategy, pages=pages, concurrency=concurrency):
            records, ran = pulled(f"posts.{strategy}", "--concurrency", concurrency)
            assert records == rows(stored())
            ran.says(f"{POSTS} records of {POSTS} on {pages} pages")


@case("links yield every row that a filter leaves, once and in order")
def _():
    records, _ = pulled("posts.by_link", "author=grace")
    assert records == rows(post for post in stored() if post["author"] == "grace")


@case("each creates every item once")
def _():
    lines = support.work / "titles.jsonl"
    titles = [f"created {number}" for number in range(40)]
    lines.write_text("".join(json.dumps({"title": title}) + "\n" for title in titles))
    flags = ["--from", lines, "title={{ item.title }}", "--concurrency", 8]
    support.nuncio("each", "json-server", "posts.create", *flags, *SERVICE).ends_with(0)
    support.same_records((post["title"] for post in stored()[POSTS:]), titles)


run()
