"""The official `stripe` package against the sandbox: python stripe_cases.py URL"""

import os
import sys
import uuid

import stripe
from harness import case, fault, raises, run

URL = sys.argv[1]


def client(**settings):
    settings.setdefault("api_key", os.environ["STRIPE_SECRET_KEY"])
    return stripe.StripeClient(base_addresses={"api": URL}, max_network_retries=0, **settings).v1


api = client()


@case("a customer is created, retrieved and updated")
def _():
    created = api.customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"plan": "gold"}})
    assert isinstance(created, stripe.Customer) and created.id.startswith("cus_")
    retrieved = api.customers.retrieve(created.id)
    assert (retrieved.email, retrieved.name, retrieved.metadata["plan"]) == ("ada@example.com", "Ada", "gold")
    updated = api.customers.update(created.id, {"name": "Ada L.", "metadata": {"seats": "3"}})
    assert updated.name == "Ada L." and updated.email == "ada@example.com"
    assert (updated.metadata["plan"], updated.metadata["seats"]) == ("gold", "3")


@case("an amount sent as form text comes back as a number")
def _():
    intent = api.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.amount == 2000 and intent.currency == "eur"


@case("auto paging yields each of 260 customers once, newest first")
def _():
    email = f"{uuid.uuid4()}@example.com"
    created = [api.customers.create({"email": email, "name": f"{n}"}).id for n in range(260)]
    listed = [customer.id for customer in api.customers.list({"email": email, "limit": 100}).auto_paging_iter()]
    assert listed == created[::-1], f"{len(listed)} listed, {len(set(listed))} of them different"


@case("a list says whether there is more")
def _():
    page = api.customers.list({"limit": 2})
    assert isinstance(page, stripe.ListObject) and len(page.data) == 2 and page.has_more
    assert page.data[0].id not in [customer.id for customer in page.next_page().data]


@case("the same idempotency key gets the same answer and creates once")
def _():
    email = f"{uuid.uuid4()}@example.com"
    options = {"idempotency_key": str(uuid.uuid4())}
    first = api.customers.create({"email": email}, options)
    again = api.customers.create({"email": email}, options)
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(api.customers.list({"email": email}).data) == 1


@case("the same idempotency key with another body is an IdempotencyError")
def _():
    options = {"idempotency_key": str(uuid.uuid4())}
    api.customers.create({"name": "first"}, options)
    error = raises(stripe.IdempotencyError, api.customers.create, {"name": "second"}, options)
    assert error.http_status == 400


@case("a 503 is retried by the SDK")
def _():
    customer = api.customers.create({"name": "late"}, {"headers": fault("503; times=1"), "max_network_retries": 2})
    assert customer.name == "late"


@case("an answer lost after the work was done is replayed, not done twice")
def _():
    email = f"{uuid.uuid4()}@example.com"
    api.customers.create({"email": email}, {"headers": fault("500; after; times=1"), "max_network_retries": 2})
    assert len(api.customers.list({"email": email}).data) == 1


@case("a reset connection is retried by the SDK")
def _():
    options = {"headers": fault("reset; times=1"), "max_network_retries": 2}
    assert api.customers.create({"name": "reset"}, options).name == "reset"


@case("a wrong key is an AuthenticationError")
def _():
    error = raises(stripe.AuthenticationError, client(api_key="sk_test_wrong").customers.list)
    assert error.http_status == 401


@case("an unknown id is an InvalidRequestError with resource_missing")
def _():
    error = raises(stripe.InvalidRequestError, api.customers.retrieve, "cus_nobody")
    assert (error.http_status, error.code) == (404, "resource_missing")
    assert error.request_id


@case("a missing parameter is an InvalidRequestError that names it")
def _():
    error = raises(stripe.InvalidRequestError, api.payment_intents.create, {"currency": "eur"})
    assert (error.http_status, error.code, error.param) == (400, "parameter_missing", "amount")


@case("a declined card is a CardError")
def _():
    declined = {"headers": fault("402; type=card_error; code=card_declined")}
    error = raises(stripe.CardError, api.payment_intents.create, {"amount": 2000, "currency": "eur"}, declined)
    assert (error.http_status, error.code) == (402, "card_declined")


@case("a 429 is a RateLimitError")
def _():
    error = raises(stripe.RateLimitError, api.customers.list, {}, {"headers": fault("429; retry-after=1")})
    assert error.http_status == 429


run()
