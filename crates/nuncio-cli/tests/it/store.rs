//! `nuncio store`, beside a gateway that serves and without one.

use std::io::{Seek as _, SeekFrom, Write as _};

use serde_json::Value;

use crate::serving::{Serving, set_up, shop, webhook};
use crate::support::Home;

/// A gateway that stored one event.
fn with_an_event(home: &Home) -> Serving {
    let serving = Serving::start(home, &[]);
    set_up(home, &serving.url, "sources/shop", &shop());
    assert_eq!(webhook(home, &format!("{}/in/shop", serving.url)), 0);
    serving
}

#[test]
fn a_store_is_checked_copied_and_measured_while_it_is_served() {
    let home = Home::new();
    let serving = with_an_event(&home);
    let checked = home.run(&["store", "check", "--store", "relay.db"]).ends_with(0);
    assert!(checked.err.contains("relay.db is whole"), "{checked:?}");
    let copied = home.run(&["store", "backup", "copy.db", "--store", "relay.db"]).ends_with(0);
    assert!(copied.err.contains("copy.db"), "{copied:?}");
    assert_eq!(webhook(&home, &format!("{}/in/shop", serving.url)), 0, "it serves on");
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));

    let stats = home.run(&["store", "stats", "--store", "copy.db", "--json"]).ends_with(0);
    let stats: Value = serde_json::from_str(&stats.out).unwrap();
    assert_eq!((&stats["events"], &stats["waiting"]), (&1.into(), &0.into()), "{stats}");
    let table = home.run(&["store", "stats", "--store", "copy.db"]).ends_with(0);
    assert!(table.out.starts_with("events   1\n"), "{table:?}");
}

#[test]
fn damage_is_told() {
    let home = Home::new();
    let serving = with_an_event(&home);
    home.run(&["store", "backup", "copy.db", "--store", "relay.db"]).ends_with(0);
    serving.signal("KILL");
    serving.end();
    let mut copy = std::fs::OpenOptions::new().write(true).open(home.path("copy.db")).unwrap();
    let length = copy.metadata().unwrap().len();
    // All but the first page, in which the tables are named.
    copy.seek(SeekFrom::Start(4096)).unwrap();
    copy.write_all(&vec![0xff; usize::try_from(length - 4096).unwrap()]).unwrap();
    let ran = home.run(&["store", "check", "--store", "copy.db"]).ends_with(12);
    assert!(ran.err.contains("damaged") && ran.err.contains("backup"), "{ran:?}");
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let home = Home::new();
    for args in [vec!["check"], vec!["backup", "copy.db"], vec!["stats"]] {
        let ran = home.run(&[&["store"], &args[..], &["--store", "relay.db"]].concat()).ends_with(1);
        assert!(ran.err.contains("there is no store at relay.db"), "{ran:?}");
    }
    assert!(!home.path("relay.db").exists() && !home.path("copy.db").exists());
}

#[test]
fn a_backup_replaces_no_file() {
    let home = Home::new();
    let serving = with_an_event(&home);
    serving.signal("KILL");
    serving.end();
    home.write("copy.db", "mine");
    let ran = home.run(&["store", "backup", "copy.db", "--store", "relay.db"]).ends_with(1);
    assert!(ran.err.contains("copy.db"), "{ran:?}");
    assert_eq!(home.read("copy.db"), "mine");
}
