//! Files that are not as they were left, and what may not be in them.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use nuncio_client::Secret;
use nuncio_credentials::{MAX_VALUE_BYTES, MAX_VARIABLES};

use crate::support::{Place, account, value, variables};

#[test]
fn a_damaged_store_is_told_and_left_as_it_is() {
    let place = Place::new();
    for number in 0..50 {
        place.open().put(&account(&number.to_string()), &variables("made-up-value"), None).unwrap();
    }
    let whole = std::fs::read(place.database()).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let mut overwritten = whole.clone();
    overwritten[4096..8192].fill(7);
    let mut head = whole.clone();
    head[..16].fill(b'x');
    for damaged in [cut, overwritten, head, b"made-up text, and more of it than a header".to_vec()] {
        std::fs::write(place.database(), &damaged).unwrap();
        let error = place.try_open(None).and_then(|store| store.list()).unwrap_err().report();
        assert!(
            error.contains("credentials.db is damaged") && error.contains("nothing was overwritten"),
            "{error}"
        );
        assert_eq!(std::fs::read(place.database()).unwrap(), damaged);
    }
    std::fs::write(place.database(), &whole).unwrap();
    assert_eq!(place.open().list().unwrap().len(), 50);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.path("state")).unwrap();
    let other = rusqlite::Connection::open(place.database()).unwrap();
    other.execute_batch("CREATE TABLE made_up (x)").unwrap();
    let error = place.try_open(None).unwrap_err().to_string();
    assert!(error.contains("is no credential store"), "{error}");
}

#[test]
fn a_store_of_a_newer_nuncio_is_left_alone() {
    let place = Place::new();
    place.open();
    rusqlite::Connection::open(place.database()).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let error = place.try_open(None).unwrap_err().report();
    assert!(error.contains("of version 2") && error.contains("newer"), "{error}");
}

#[test]
fn a_row_that_was_put_in_the_place_of_another_does_not_open() {
    let place = Place::new();
    place.open().put(&account("mine"), &variables("made-up-mine"), None).unwrap();
    place.open().put(&account("yours"), &variables("made-up-yours"), None).unwrap();
    let sql =
        "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'yours') WHERE name = 'mine'";
    assert_eq!(rusqlite::Connection::open(place.database()).unwrap().execute(sql, []).unwrap(), 1);
    let error = place.open().get(&account("mine")).unwrap_err().to_string();
    assert!(
        error.contains("variable SHOP_TOKEN of shop as mine") && error.contains("of another connection"),
        "{error}"
    );
    assert_eq!(value(&place.open(), "yours").as_deref(), Some("made-up-yours"));
}

#[test]
fn no_file_has_a_secret_however_it_is_written() {
    let canary = "made-up-canary/+\"x\"=1&2";
    let place = Place::new();
    let store = place.open();
    store.put(&account("a"), &variables(canary), None).unwrap();
    store.put(&account("a"), &variables("made-up-second"), None).unwrap();
    store.put(&account("a"), &variables(canary), None).unwrap();
    let key = std::fs::read_to_string(place.key_file()).unwrap().lines().last().unwrap().to_owned();
    let mut files = 0;
    for entry in std::fs::read_dir(place.path("state")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let json = serde_json::to_string(canary).unwrap();
        let secrets =
            [canary, json.trim_matches('"'), &BASE64_STANDARD.encode(canary), &hex::encode(canary), &key];
        for secret in
            secrets.map(str::as_bytes).into_iter().chain([&BASE64_STANDARD.decode(&key).unwrap()[..]])
        {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
        files += 1;
    }
    assert!(files >= 2, "the file and its log");
}

#[test]
fn what_is_too_large_is_refused_with_its_bound() {
    let place = Place::new();
    let store = place.open();
    let large = "x".repeat(MAX_VALUE_BYTES + 1);
    let error = store.put(&account("a"), &variables(&large), None).unwrap_err().to_string();
    assert!(error.contains("65537 bytes, and 65536"), "{error}");
    let many = (0..=MAX_VARIABLES).map(|number| (number.to_string(), Secret::from("made-up"))).collect();
    let error = store.put(&account("a"), &many, None).unwrap_err().to_string();
    assert!(error.contains("101 variables, and 100"), "{error}");
    assert!(store.list().unwrap().is_empty());
}
