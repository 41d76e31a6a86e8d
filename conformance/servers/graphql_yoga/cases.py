"""graphql-yoga: Relay connections, errors of every sort, and points that run out."""

import json
import pathlib

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent

port = support.free_port()
url = f"http://127.0.0.1:{port}"
support.start([*support.SERVER, port], port)
SERVICE = ["--file", HERE / "graphql.yaml", "--base-url", url]


def counts():
    return support.fetch(f"{url}/counts")


IDS = counts()["ids"]


def query(text, *variables):
    """Runs a query from a file; what came of it, and how many requests it took."""
    file = support.work / "query.graphql"
    file.write_text(text)
    before = counts()["requests"]
    ran = support.nuncio("graphql", "yoga", file, *variables, *SERVICE)
    return ran, counts()["requests"] - before


def order(ids, concurrency):
    """One mutation for each id; all are done once. How many of them were throttled on the way."""
    lines = support.work / "orders.jsonl"
    lines.write_text("".join(json.dumps({"id": id}) + "\n" for id in ids))
    before = counts()
    flags = ["--from", lines, "id={{ item.id }}", "--concurrency", concurrency, "--restart"]
    support.nuncio("each", "yoga", "orders.create", *flags, *SERVICE).ends_with(0)
    after = counts()
    support.same_records(after["done"][len(before["done"]) :], ids)
    return after["throttled"] - before["throttled"]


@case("a pull of a connection yields every node once, with every digit")
def _():
    records, _ = support.pull("yoga", "issues.list", *SERVICE)
    support.same_records((record["id"] for record in records), IDS)
    assert records[7]["weight"] == "0.7000000000000000001"


@case("nested variables get to the server as they are")
def _():
    filter = {"states": ["OPEN"], "author": {"names": ["ada", "edsger"]}}
    records, _ = support.pull("yoga", "issues.list", f"filter:={json.dumps(filter)}", *SERVICE)
    expected = [id for number, id in enumerate(IDS) if number % 5 and number % 3 != 1]
    support.same_records((record["id"] for record in records), expected)


@case("a query from a file with its variables is answered")
def _():
    ran, requests = query("query One($id: ID!) { issue(id: $id) { author { name } } }", "id=issue-1")
    assert ran.ends_with(0).json()["data"]["issue"] == {"author": {"name": "grace"}}
    assert requests == 1


@case("a query that does not fit the schema is told in the server's words, and sent once")
def _():
    ran, requests = query("{ isue(id: 1) { id } }")
    ran.ends_with(14).says('Cannot query field "isue"')
    assert requests == 1


@case("a query that the server cannot parse is told with its place, and sent once")
def _():
    ran, requests = query("{ issue(id: ) { id } }")
    ran.ends_with(14).says("Syntax Error", "line 1, column 13")
    assert requests == 1


@case("a variable of the wrong type is told in the server's words, and sent once")
def _():
    ran, requests = query("query One($first: Int!) { repository { issues(first: $first) { totalCount } } }", "first=many")
    ran.ends_with(14).says("Int cannot represent")
    assert requests == 1


@case("partial data is data, and the errors beside it are a failure that is not tried again")
def _():
    ran, requests = query('{ issue(id: "issue-1") { id secret } }')
    ran.ends_with(14).says("beside partial data", "not for you", "FORBIDDEN", "issue.secret")
    assert ran.json()["data"]["issue"] == {"id": "issue-1", "secret": None}
    assert requests == 1


@case("a list whose pages have errors beside their data does not pass for complete")
def _():
    service = support.work / "partial.yaml"
    text = (HERE / "graphql.yaml").read_text().replace("nodes { id state author { name } weight }", "nodes { id secret }")
    service.write_text(text)
    ran = support.nuncio("pull", "yoga", "issues.list", "--to", "-", "--file", service, "--base-url", url)
    ran.ends_with(14).says("not for you")


@case("a refusal that the service file calls throttled is tried again until it is served")
def _():
    ran, requests = query("{ busy(times: 2) }")
    assert ran.ends_with(0).json() == {"data": {"busy": "served"}}
    assert requests == 3


@case("mutations one after the other never run out of points that the server tells of")
def _():
    assert order([f"single-{number}" for number in range(20)], concurrency=1) == 0


@case("mutations at once that were THROTTLED are done in the end, once each")
def _():
    throttled = order([f"late-{number}" for number in range(40)], concurrency=8)
    # The points are gone three times, and each time at most the calls under way are refused.
    assert 3 <= throttled <= 24, throttled


run()
