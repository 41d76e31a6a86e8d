//! The README's first command.

use crate::support::Home;

#[test]
fn the_demo_does_everything_once_through_all_faults() {
    let ran = Home::new().run(&["demo"]).ends_with(0);
    for told in [
        "By cursor came 10001 records on 101 pages, every one of them once",
        "By page number came 10000 records on 101 pages, every one of them once",
        "stripe payment_intents.create: 23 requests, 20 applied of 20 wanted, 3 replayed by key",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert!(ran.out.ends_with("Nothing was lost and nothing was done twice.\n"), "{}", ran.out);
}
