//! `nuncio serve`, as an operator runs it.

use crate::serving::{SECRET, Serving, call, set_up, shop, webhook};
use crate::support::Home;

#[test]
fn what_is_acknowledged_is_there_after_a_kill() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let url = serving.url.clone();
    set_up(&home, &url, "sources/shop", &shop());
    assert_eq!(webhook(&home, &format!("{url}/in/shop")), 0);
    serving.signal("KILL");
    serving.end();

    let serving = Serving::start(&home, &[]);
    let (_, events) = call(&home, &["GET", &format!("{}/v1/events", serving.url)]);
    assert_eq!(events["items"][0]["type"], "charge.failed", "{events}");
    serving.signal("TERM");
    let (code, told) = serving.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("/in/shop"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn a_file_is_read_again_on_a_hangup() {
    let home = Home::new().with_env("SHOP_SECRET", SECRET);
    let file = "sources:\n  shop: { scheme: stripe, secrets: { current: \"{{ env.SHOP_SECRET }}\" } }\n";
    home.write("relay.yaml", file);
    let serving = Serving::start(&home, &["relay.yaml"]);
    let shop = format!("{}/in/shop", serving.url);
    assert_eq!(webhook(&home, &shop), 0);
    home.write("relay.yaml", &file.replace("shop:", "store:"));
    serving.signal("HUP");
    let store = format!("{}/in/store", serving.url);
    let taken_over = (0..100).any(|_| webhook(&home, &store) == 0);
    assert!(taken_over);
    assert_eq!(webhook(&home, &shop), 4, "it is gone");
    serving.signal("TERM");
    let (_, told) = serving.end();
    assert!(told.contains("taken over") && !told.contains(SECRET), "{told}");
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_place() {
    let home = Home::new();
    home.write("relay.yaml", "sources:\n  shop: { scheme: strype, secrets: {} }\n");
    let ran = home.run(&["serve", "relay.yaml", "--store", "relay.db", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("relay.yaml:2:3"), "{}", ran.err);
    assert!(!home.path("relay.db").exists(), "nothing has begun");
}

#[test]
fn others_are_not_served_without_a_token() {
    let home = Home::new();
    let ran = home.run(&["serve", "--store", "relay.db", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("NUNCIO_TOKEN"), "{}", ran.err);
}
