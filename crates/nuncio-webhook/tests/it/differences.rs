//! The recorded cases that are judged otherwise, on purpose: `docs/decisions/0014-webhook-verdicts.md`.

pub(crate) const DIFFERENCES: &[&str] = &[
    // A header that stands twice is refused.
    "gocardless/duplicate-header-good-then-bad",
    "gocardless/duplicate-header-same",
    "mux/duplicate-header-bad-then-good",
    "mux/duplicate-header-good-then-bad",
    "mux/duplicate-header-same",
    "stripe/duplicate-header-bad-then-good",
    "stripe/duplicate-header-good-then-bad",
    "stripe/duplicate-header-same",
    "workos/duplicate-header-good-then-bad",
    "workos/duplicate-header-same",
    // A signature has one spelling.
    "gocardless/whitespace-trailing-newline",
    "gocardless/whitespace-trailing-space",
    "mux/whitespace-leading-space",
    "mux/whitespace-trailing-space",
    "sendgrid/base64-inner-newline",
    // Items of a list come in any order, and unknown ones are passed over.
    "sanity/layout-leading-comma",
    "sanity/layout-trailing-comma",
    "sanity/layout-unknown-key-first",
    "sanity/layout-unknown-key-last",
    "sanity/layout-v1-before-t",
    "sanity/layout-with-v0-too",
    "workos/layout-leading-comma",
    "workos/layout-unknown-key-first",
    "workos/layout-v1-before-t",
    "standard-webhooks/separator-comma-space",
    "svix/separator-comma-space",
    // Headers that nobody signed prove nothing.
    "pusher/content-type-with-charset",
    "shopify/missing-x-shopify-api-version",
    "shopify/missing-x-shopify-shop-domain",
    "shopify/missing-x-shopify-topic",
    "shopify/missing-x-shopify-webhook-id",
    // The times of a token count where it has them, and how old it may be is the scheme's.
    "google-pubsub/no-exp",
    // The same key in its other usual wrapping.
    "sendgrid/public-key-pem-wrapped",
];
