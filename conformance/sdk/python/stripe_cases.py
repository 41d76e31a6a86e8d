"""The official `stripe` package against the sandbox: python stripe_cases.py URL"""

import os
import sys
import uuid

import stripe
from harness import case, counted, fault, raises, run

URL = sys.argv[1]


def client(**settings):
    settings.setdefault("api_key", os.environ["STRIPE_SECRET_KEY"])
    return stripe.StripeClient(base_addresses={"api": URL}, max_network_retries=0, **settings).v1


api = client()


def patient(text):
    """Meets a fault, and may try again."""
    return {"headers": fault(text), "max_network_retries": 2}


@case("a customer is created, retrieved, updated and deleted")
def _():
    created = api.customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"plan": "gold"}})
    assert isinstance(created, stripe.Customer) and created.id.startswith("cus_")
    retrieved = api.customers.retrieve(created.id)
    assert (retrieved.email, retrieved.name, retrieved.metadata["plan"]) == ("ada@example.com", "Ada", "gold")
    updated = api.customers.update(created.id, {"name": "Ada L.", "metadata": {"seats": "3"}})
    assert updated.name == "Ada L." and updated.email == "ada@example.com"
    assert (updated.metadata["plan"], updated.metadata["seats"]) == ("gold", "3")
    assert api.customers.delete(created.id).deleted
    assert raises(stripe.InvalidRequestError, api.customers.retrieve, created.id).code == "resource_missing"


@case("an amount sent as form text comes back as a number")
def _():
    intent = api.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.amount == 2000 and intent.currency == "eur"


@case("a payment is authorized, captured and refunded")
def _():
    intent = api.payment_intents.create({"amount": 2000, "currency": "eur", "capture_method": "manual"})
    confirmed = api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert confirmed.status == "requires_capture"
    captured = api.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    assert (captured.status, captured.amount_received) == ("succeeded", 1500)
    refund = api.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.payment_intent, refund.amount) == (intent.id, 500)


@case("auto paging yields each of 260 customers once, newest first, and oldest first from the end")
def _():
    email = f"{uuid.uuid4()}@example.com"
    created = [api.customers.create({"email": email, "name": f"{n}"}).id for n in range(260)]

    def listed(**query):
        with counted("customers.list") as of_list:
            page = api.customers.list({"email": email, "limit": 100, **query})
            return [customer.id for customer in page.auto_paging_iter()], of_list

    forwards, of_forwards = listed()
    assert forwards == created[::-1], f"{len(forwards)} listed, {len(set(forwards))} of them different"
    backwards, of_backwards = listed(ending_before=created[0])
    assert backwards == created[1:], f"{len(backwards)} listed, {len(set(backwards))} of them different"
    assert (of_forwards["requests"], of_backwards["requests"]) == (3, 3)


@case("a list says whether there is more, in the direction it is read")
def _():
    first = api.customers.list({"limit": 2})
    assert isinstance(first, stripe.ListObject) and len(first.data) == 2 and first.has_more
    second = first.next_page()
    assert first.data[0].id not in [customer.id for customer in second.data]
    back = api.customers.list({"limit": 2, "ending_before": second.data[0].id})
    assert [customer.id for customer in back.data] == [customer.id for customer in first.data]
    assert not back.has_more


@case("the same idempotency key gets the same answer and creates once")
def _():
    options = {"idempotency_key": str(uuid.uuid4())}
    with counted("customers.create") as of_create:
        first = api.customers.create({"name": "once"}, options)
        again = api.customers.create({"name": "once"}, options)
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert (of_create["requests"], of_create["applied"], of_create["replayed"]) == (2, 1, 1)


@case("the same idempotency key with another body is an IdempotencyError")
def _():
    options = {"idempotency_key": str(uuid.uuid4())}
    api.customers.create({"name": "first"}, options)
    error = raises(stripe.IdempotencyError, api.customers.create, {"name": "second"}, options)
    assert error.http_status == 400


def applied_once(text):
    @case(f"a creation that meets {text} is retried by the SDK and applied once")
    def _():
        with counted("customers.create") as of_create:
            assert api.customers.create({"name": "late"}, patient(text)).name == "late"
        assert (of_create["requests"], of_create["applied"]) == (2, 1)


for text in ["503; times=1", "reset; times=1", "500; after; times=1", "reset; after; times=1"]:
    applied_once(text)


@case("a 500 that stays is an APIError after three attempts, and nothing is applied")
def _():
    with counted("customers.create") as of_create:
        error = raises(stripe.APIError, api.customers.create, {"name": "never"}, patient("500"))
    assert error.http_status == 500
    assert (of_create["requests"], of_create["applied"]) == (3, 0)


@case("a connection that stays broken is an APIConnectionError after three attempts")
def _():
    with counted("customers.list") as of_list:
        raises(stripe.APIConnectionError, api.customers.list, {}, patient("reset"))
    assert of_list["requests"] == 3


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


@case("a 403 is a PermissionError")
def _():
    error = raises(stripe.PermissionError, api.customers.list, {}, {"headers": fault("403")})
    assert error.http_status == 403


@case("a 429 is a RateLimitError")
def _():
    error = raises(stripe.RateLimitError, api.customers.list, {}, {"headers": fault("429; retry-after=1")})
    assert (error.http_status, error.json_body["error"]["code"]) == (429, "rate_limit")
    assert error.headers["Retry-After"] == "1"


@case("a 429 whose Stripe-Should-Retry says so is retried by the SDK and applied once")
def _():
    with counted("customers.create") as of_create:
        api.customers.create({"name": "patient"}, patient("429; retry-after=1; times=1"))
    assert (of_create["requests"], of_create["applied"]) == (2, 1)


run()
