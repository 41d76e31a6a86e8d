"""Signs an event with Stripe's library: python stripe_sign.py SECRET < BODY. Writes the header `Stripe-Signature`."""

import sys
import time

import stripe

secret, body, now = sys.argv[1], sys.stdin.read(), int(time.time())
signature = stripe.WebhookSignature._compute_signature(f"{now}.{body}", secret)
header = f"t={now},{stripe.WebhookSignature.EXPECTED_SCHEME}={signature}"
# The library takes what it signed.
stripe.Webhook.construct_event(body, header, secret)
print(header)
