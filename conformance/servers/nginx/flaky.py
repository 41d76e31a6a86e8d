"""An upstream that fails the first times that a path is asked for, in the way that the path names: python flaky.py PORT"""

import collections
import http.server
import sys
import time

FAILURES = 2
BODY = b'{"items": [{"id": 1}, {"id": 2}]}'

_asked = collections.Counter()


class Flaky(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _asked[self.path] += 1
        if _asked[self.path] > FAILURES:
            self.answer(len(BODY), BODY)
            return
        self.close_connection = True
        flaw = self.path.split("/")[2]
        if flaw == "silent":
            time.sleep(2)
        elif flaw == "cut-body":
            self.answer(len(BODY), BODY[:20])
        elif flaw == "cut-chunk":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s" % (len(BODY), BODY[:20]))

    do_POST = do_GET

    def answer(self, length, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Flaky).serve_forever()
