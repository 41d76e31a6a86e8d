"""A running nginx, and what its logs say."""

import json
import pathlib

import support

HERE = pathlib.Path(__file__).parent
PAGES, PAGE_SIZE = 40, 10
IDS = range(PAGES * PAGE_SIZE)


def write_pages():
    """A list of `IDS` in files, one a page, with one empty page behind them."""
    folder = support.work / "pages"
    folder.mkdir()
    for page in range(PAGES + 1):
        items = [{"id": id, "text": "made up " * 20} for id in IDS[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]]
        (folder / f"{page + 1}.json").write_text(json.dumps({"items": items, "total": len(IDS)}))


class Nginx:
    def __init__(self, cases, **values):
        """Starts nginx with the locations of the file `cases`, where `@NAME@` is filled in from `values`."""
        write_pages()
        self.port, self.behind = support.free_port(), support.free_port()
        values = {"PORT": self.port, "BEHIND": self.behind, "WORK": support.work, **values}
        for source in (cases, "nginx.conf"):
            text = (HERE / source).read_text()
            for name, value in {**values, "CASES": support.work / cases}.items():
                text = text.replace(f"@{name}@", str(value))
            (support.work / source).write_text(text)
        self.url = f"http://127.0.0.1:{self.port}"
        support.start([*support.SERVER, "-p", support.work, "-c", support.work / "nginx.conf"], self.port)

    def asked(self, path):
        """The requests below `path` that nginx has answered, in its own words."""
        return self._log("access.log", path)

    def done(self, path):
        """Those of them that were passed on and done."""
        return self._log("done.log", path)

    def _log(self, name, path):
        # A line is written after the answer has gone out, and before this one is given.
        support.fetch(f"http://127.0.0.1:{self.behind}/written")
        entries = map(json.loads, (support.work / name).read_text().splitlines())
        return [entry for entry in entries if entry["path"].startswith(path)]


def statuses(entries):
    return [entry["status"] for entry in entries]
