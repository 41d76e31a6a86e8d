//! A secret is in nothing that is written down of an attempt, however it comes back.

use nuncio_relay::deliver::Targets;
use nuncio_service::Env;
use serde_json::json;

use super::{Receiver, answer, attempt, event, http, settings, try_endpoint};

#[tokio::test]
async fn no_secret_is_in_what_is_kept_of_an_attempt() {
    let canaries =
        ["made-up-header-canary", "bWFkZS11cC1jYW5hcnktb2YtMjQtYnl0ZXM=", "made-up-password-canary"];
    // Everything comes back: in the status line's words, the body, and far behind where the excerpt is cut.
    for (status, before) in [(200, 0), (400, 0), (500, 1015), (429, 1020), (302, 0)] {
        let receiver = Receiver::start(move |seen| {
            let echo = format!("{}{:?} {}", ".".repeat(before), seen.headers, canaries.join(" "));
            answer(status, &[("location", "/made-up-header-canary")], echo)
        })
        .await;
        let more = json!({
            "headers": { "x-key": canaries[0] },
            "secrets": [format!("whsec_{}", canaries[1])],
            "auth": { "basic": { "user": "ada", "password": canaries[2] } },
        });
        let to = try_endpoint(http(&receiver.url, more), Env::default()).unwrap();
        let outcome = attempt(&Targets::new(settings()), &to, &event("{}"), 1).await;
        assert_eq!(receiver.seen()[0].header("x-key"), canaries[0]);
        let written = format!("{outcome:?} {}", String::from_utf8_lossy(&outcome.excerpt));
        // The first bytes of a secret that the end of an excerpt would have cut off.
        for canary in canaries.iter().map(|canary| &canary[..8]).filter(|_| before > 0).chain(canaries) {
            assert!(!written.contains(canary), "{canary} in {written}");
        }
        assert!(written.contains("***") || before > 1000, "{written}");
    }
}
