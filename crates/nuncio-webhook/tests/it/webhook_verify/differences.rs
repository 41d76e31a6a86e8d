//! Where the two differ, on purpose: `docs/decisions/0016-webhook-verify.md`.

/// One reason for which the two differ.
pub(super) struct Difference {
    pub(super) what: &'static str,
    pub(super) providers: &'static [&'static str],
    pub(super) variations: &'static [&'static str],
    /// Whether it is we who take it.
    pub(super) taken_by_us: bool,
}

const ALL: &[&str] = &[
    "discord",
    "dropbox",
    "github",
    "linear",
    "sendgrid",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "stripe",
    "svix",
    "twilio",
    "zoom",
];
const LISTS: &[&str] = &["standard-webhooks", "stripe", "svix"];
const HEX: &[&str] = &["dropbox", "github", "linear", "slack", "stripe", "zoom"];
const TIMED: &[&str] = &["discord", "sendgrid", "slack", "standard-webhooks", "stripe", "svix", "zoom"];

pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        what: "they take the first of two headers",
        providers: ALL,
        variations: &[
            "the header stands twice",
            "a bad header after the good one",
            // Together with headers in another order.
            "a bad header before the good one",
        ],
        taken_by_us: false,
    },
    Difference {
        what: "they take hex in capitals",
        providers: HEX,
        variations: &["signature in capitals", "one digit of the signature in capitals"],
        taken_by_us: false,
    },
    Difference {
        what: "they take SHA256= for sha256=",
        providers: &["github"],
        variations: &["what stands before the signature in capitals"],
        taken_by_us: false,
    },
    Difference {
        what: "they take a timestamp with zeros before it",
        providers: TIMED,
        variations: &["timestamp with a zero before it"],
        taken_by_us: false,
    },
    Difference {
        what: "they do not read Linear's timestamp",
        providers: &["linear"],
        variations: &[
            "a second too old",
            "a second too far ahead",
            "timestamp with a zero before it",
            "timestamp with a sign",
            "timestamp with a space after it",
            "timestamp with a fraction",
            "timestamp in milliseconds",
            "timestamp of twenty digits",
            "timestamp in digits that are not ASCII",
            "timestamp that is empty",
        ],
        taken_by_us: false,
    },
    Difference {
        what: "they take an empty secret",
        providers: &["dropbox", "github", "linear", "shopify", "slack", "stripe", "zoom"],
        variations: &["no secret"],
        taken_by_us: false,
    },
    Difference {
        what: "they take an empty id",
        providers: &["standard-webhooks", "svix"],
        variations: &["an id that is empty"],
        taken_by_us: false,
    },
    Difference {
        what: "they read a header of any length",
        providers: LISTS,
        variations: &["a hundred bad signatures before the good one", "an unknown item of 20,000 characters"],
        taken_by_us: false,
    },
    Difference {
        what: "they leave the digest of Twilio's JSON to the caller",
        providers: &["twilio"],
        variations: &[
            "JSON whose digest is nowhere",
            "JSON of which the digest in the URL is not",
            // Together with a body that was changed on the road.
            "JSON whose digest is in the URL",
        ],
        taken_by_us: false,
    },
    Difference {
        what: "they do not ask whether Twilio's body is a form",
        providers: &["twilio"],
        // The one that is missing is the Content-Type, when the headers are in another order.
        variations: &["a header is missing"],
        taken_by_us: false,
    },
    Difference {
        what: "a damaged item spoils their list",
        providers: LISTS,
        variations: &[
            "an item that is no signature before the good one",
            "a cut signature after the good one",
            "an empty signature after the good one",
        ],
        taken_by_us: true,
    },
    Difference {
        what: "they sign a pair of Twilio's that stands twice twice, and do not sort by value",
        providers: &["twilio"],
        variations: &["a form with the same pair twice", "a form with a name twice, the greater value first"],
        taken_by_us: true,
    },
    Difference {
        what: "they know one spelling of Twilio's URL",
        providers: &["twilio"],
        variations: &["the URL with the default port", "the URL without its port"],
        taken_by_us: true,
    },
];
