"""The official `sendgrid` package against the sandbox: python sendgrid_cases.py URL"""

import os
import sys
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

from harness import case, counted, fault, raises, run
from python_http_client import exceptions
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Mail

URL = sys.argv[1]


def client(key=os.environ["SENDGRID_API_KEY"]):
    return SendGridAPIClient(api_key=key, host=URL)


def mail():
    return Mail("from@example.com", "to@example.com", "Receipt", html_content="<b>Thank you</b>")


def create(name):
    answer = client().client.templates.post({"name": name, "generation": "dynamic"})
    assert answer.status_code == 201
    return answer.to_dict


def templates(page_size):
    """Every template, page by page; the SDK does not page by itself."""
    query = {"generations": "dynamic", "page_size": page_size}
    while query:
        page = client().client.templates.get(query_params=query).to_dict
        yield from page["result"]
        query = dict(parse_qsl(urlsplit(page["_metadata"].get("next") or "").query))


@case("a mail is accepted with 202, an empty body and a message id")
def _():
    answer = client().send(mail())
    assert answer.status_code == 202 and answer.body == b""
    assert answer.headers["X-Message-Id"]


@case("a template is created, retrieved, updated and deleted")
def _():
    created = create("receipt")
    template = client().client.templates._(created["id"])
    assert template.get().to_dict["name"] == "receipt"
    assert template.patch({"name": "invoice"}).to_dict["name"] == "invoice"
    assert template.delete().status_code == 204
    raises(exceptions.NotFoundError, template.get)


@case("following _metadata.next yields each of 260 templates once")
def _():
    created = {create(f"template {uuid.uuid4()}")["id"] for _ in range(260)}
    listed = [template["id"] for template in templates(page_size=100)]
    assert len(listed) == len(set(listed))
    assert created <= set(listed)


@case("a mail without recipients is a BadRequestsError that names the field")
def _():
    incomplete = mail().get()
    del incomplete["personalizations"]
    error = raises(exceptions.BadRequestsError, client().send, incomplete)
    assert error.to_dict["errors"][0]["field"] == "personalizations"


@case("a wrong key is an UnauthorizedError")
def _():
    raises(exceptions.UnauthorizedError, client(key="SG.wrong").send, mail())


def refused(text, error):
    """The error of this class, and whether the mail that met the fault was accepted. The SDK does not try again by itself."""
    send = client().client.mail.send.post
    with counted("mail.send_raw") as of_send:
        raised = raises(error, send, request_body=mail().get(), request_headers=fault(text))
    assert raised.to_dict["errors"][0]["message"]
    assert of_send["requests"] == 1
    return raised, bool(of_send["applied"])


@case("a 403 is a ForbiddenError")
def _():
    refused("403", exceptions.ForbiddenError)


@case("a 429 is a TooManyRequestsError that tells when the limit is reset, and nothing is sent")
def _():
    error, was_sent = refused("429; reset=30", exceptions.TooManyRequestsError)
    assert error.headers["X-RateLimit-Remaining"] == "0"
    assert time.time() < int(error.headers["X-RateLimit-Reset"]) <= time.time() + 31
    assert not was_sent


@case("a 500 after the mail was accepted is an InternalServerError: the sender cannot tell")
def _():
    _, was_sent = refused("500; after", exceptions.InternalServerError)
    assert was_sent


@case("a 503 is a ServiceUnavailableError")
def _():
    _, was_sent = refused("503", exceptions.ServiceUnavailableError)
    assert not was_sent


run()
