"""datasette over a SQLite database: a pull yields exactly the rows of the table."""

import pathlib
import random
import sqlite3

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
PEOPLE, VISITS = 3_000, 2_000

database = support.work / "made_up.db"


def generate():
    chance = random.Random(1)
    with sqlite3.connect(database) as rows:
        rows.execute("create table people (id integer primary key, name text, age integer)")
        # Ages and names come often, and some are missing: what tells the pages apart is more than what they are sorted by.
        people = [(id, chance.choice(["Ada", "Grace", "Ünal & Söhne", "a,b/c~d", None]), chance.choice([None, 7, 8, 9])) for id in range(PEOPLE)]
        rows.executemany("insert into people values (?, ?, ?)", people)
        rows.execute("create table visits (place text, day text, primary key (place, day))")
        visits = [(f"place, {number % 40}", f"2026-11-24/{number // 40}") for number in range(VISITS)]
        rows.executemany("insert into visits values (?, ?)", visits)


def table(query):
    with sqlite3.connect(database) as rows:
        return rows.execute(query).fetchall()


generate()
port = support.free_port()
support.start([*support.SERVER, "serve", database, "--host", "127.0.0.1", "--port", port], port)
SERVICE = ["--file", HERE / "datasette.yaml", "--base-url", f"http://127.0.0.1:{port}"]


def people(operation, *flags):
    records, ran = support.pull("datasette", operation, *SERVICE, *flags)
    found = [(record["id"], record["name"], record["age"]) for record in records]
    support.same_records(found, table("select id, name, age from people"))
    return ran


@case("a cursor yields every row once")
def _():
    people("people.by_cursor").says("3000 records of 3000 on 30 pages")


@case("a next_url yields every row once, though many rows sort alike and some have nothing to sort by")
def _():
    people("people.by_url").says("3000 records of 3000")


@case("a Link header yields every row once, though many rows sort alike and some have nothing to sort by")
def _():
    people("people.by_link").says("3000 records")


@case("a cursor of several columns with characters that mean something in a URL yields every row once")
def _():
    records, _ = support.pull("datasette", "visits.by_cursor", *SERVICE)
    support.same_records(((record["place"], record["day"]) for record in records), table("select place, day from visits"))


@case("a list without a service file yields every row once")
def _():
    list = f"http://127.0.0.1:{port}/made_up/people.json?_shape=objects"
    records, _ = support.pull(list, "--records", "rows", "--cursor", "next:_next", "--page-size", "_size=250")
    support.same_records((record["id"] for record in records), range(PEOPLE))


@case("a table that is not there is told in the server's words, and not asked for again")
def _():
    ran = support.nuncio("call", f"http://127.0.0.1:{port}/made_up/houses.json")
    ran.ends_with(4).says("404", "Table not found", "1 attempt")


run()
