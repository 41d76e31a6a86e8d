//! Prints `docs/webhooks.md`, for `cargo xtask generate`: a guide, the providers, and all keys of a scheme.

#[path = "../reference/mod.rs"]
mod reference;
mod table;

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use nuncio_webhook::{Request, Secrets, explain, provider, providers};

const GUIDE: &str = include_str!("guide.md");
const LANGUAGE: &str = include_str!("language.md");

fn main() {
    let guide =
        GUIDE.replace("{COUNT}", &providers().count().to_string()).replace("{EXPLANATION}", &explanation());
    print!("<!-- Written by `cargo xtask generate`. -->\n\n{guide}\n");
    table::print();
    print!("\n{LANGUAGE}");
    let schema = nuncio_service::service_schema();
    let types = &schema["$defs"];
    reference::section("Scheme", &types["Scheme"], types, &mut BTreeSet::new());
}

/// What is said of a good request of Stripe to whose body somebody added a line end.
fn explanation() -> String {
    let signature = "t=1760000000,v1=f182012bd49ba93537deac1e738d77b92fb1c7ebf652fd2f7deed66fb956d6e0";
    let headers = vec![("Stripe-Signature", signature)];
    let body =
        b"{\"id\":\"evt_test_1\",\"type\":\"ping\",\"object\":\"event\",\"data\":{\"n\":1,\"ok\":true}}\n";
    let request = Request { method: "POST", url: "", headers: &headers, body };
    let secrets = Secrets::new().with("STRIPE_WEBHOOK_SECRET", "whsec_nuncio_test_only_secret");
    let now = UNIX_EPOCH + Duration::from_secs(1_760_000_100);
    explain(&provider("stripe").expect("it comes along").scheme, &request, &secrets, now).to_string()
}
