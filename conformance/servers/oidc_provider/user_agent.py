"""A user agent that follows redirects, keeps cookies and sends the forms that it is shown, as they are."""

import html
import http.cookiejar
import re
import urllib.parse
import urllib.request


class Browser:
    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def open(self, url, fields=None):
        """The page that `url` leads to in the end, and its URL."""
        data = urllib.parse.urlencode(fields).encode() if fields else None
        with self.opener.open(url, data, timeout=20) as answer:
            return answer.read().decode(), answer.geturl()

    def submit(self, page, at):
        """The page after the first form of `page` was sent."""
        form = re.search(r"<form.*?</form>", page, re.S)[0]
        action = html.unescape(re.search(r'action="([^"]*)"', form)[1])
        inputs = re.findall(r"<input[^>]*>", form)
        attribute = lambda tag, name: html.unescape((re.search(rf'\b{name}="([^"]*)"', tag) or ["", ""])[1])
        fields = {attribute(tag, "name"): attribute(tag, "value") for tag in inputs if attribute(tag, "name")}
        return self.open(urllib.parse.urljoin(at, action), fields)
