//! The right key, the wrong one, and none.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use nuncio_client::Kind;
use nuncio_credentials::{CredentialStore, KeySource};

use crate::support::{Place, account, value, variables};

fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

#[test]
fn a_connection_is_found_by_whoever_opens_the_store_next() {
    let place = Place::new();
    place.open().put(&account("a"), &variables("made-up-value"), None).unwrap();
    assert_eq!(value(&place.open(), "a").as_deref(), Some("made-up-value"));
    assert_eq!(value(&place.open(), "b"), None);
}

#[test]
fn what_is_only_read_makes_no_store() {
    let place = Place::new();
    assert!(CredentialStore::open_existing(place.options(None)).unwrap().is_none());
    assert!(!place.database().exists() && !place.key_file().exists());
}

#[test]
fn a_key_that_is_given_stands_before_the_file_and_makes_none() {
    let place = Place::new();
    let store = place.try_open(Some(&key(1))).unwrap();
    assert_eq!(store.key().unwrap().source, KeySource::Given);
    assert!(!place.key_file().exists());
}

#[test]
fn a_wrong_key_is_told_with_its_place_and_both_ids_and_nothing_is_lost() {
    let place = Place::new();
    let store = place.try_open(Some(&key(1))).unwrap();
    store.put(&account("a"), &variables("made-up-value"), None).unwrap();
    let right = store.key().unwrap().id;
    let before = std::fs::read(place.database()).unwrap();

    let error = place.try_open(Some(&key(2))).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    let text = error.report();
    let wrong = Place::new().try_open(Some(&key(2))).unwrap().key().unwrap().id;
    for part in ["NUNCIO_KEY", &right, &wrong, "nothing was changed"] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    let text = place.try_open(None).unwrap_err().report();
    assert!(text.contains("credentials.key is not there") && text.contains("NUNCIO_KEY"), "{text}");

    assert_eq!(std::fs::read(place.database()).unwrap(), before);
    assert!(!place.key_file().exists(), "a store that is there gets no new key");
    assert_eq!(value(&place.try_open(Some(&key(1))).unwrap(), "a").as_deref(), Some("made-up-value"));
}

#[test]
fn a_given_key_in_place_of_the_file_is_told_to_be_unset() {
    let place = Place::new();
    place.open();
    let text = place.try_open(Some(&key(2))).unwrap_err().report();
    assert!(text.contains("unset NUNCIO_KEY"), "{text}");
}

#[test]
fn a_lost_key_file_is_not_made_anew() {
    let place = Place::new();
    place.open();
    std::fs::remove_file(place.key_file()).unwrap();
    let text = place.try_open(None).unwrap_err().report();
    assert!(text.contains("credentials.key is not there"), "{text}");
    assert!(!place.key_file().exists());
}

#[test]
fn what_is_no_key_is_told_and_not_shown() {
    let place = Place::new();
    let error = place.try_open(Some("made-up passphrase")).unwrap_err().report();
    assert!(error.contains("32 bytes") && !error.contains("passphrase\""), "{error}");
    assert!(!place.database().exists());
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let store = place.open();
    store.put(&account("a"), &variables("made-up-value"), None).unwrap();
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    for folder in ["state", "data"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in std::fs::read_dir(place.path("state")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert_eq!(mode(&format!("state/{name}")), 0o600, "{name}");
    }
    assert_eq!(mode("data/credentials.key"), 0o600);

    drop(store);
    std::fs::set_permissions(place.database(), std::fs::Permissions::from_mode(0o644)).unwrap();
    place.open();
    assert_eq!(mode("state/credentials.db"), 0o600);
}
