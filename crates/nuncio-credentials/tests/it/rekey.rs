//! A new key for what is there.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use nuncio_credentials::{CredentialStore, KeySource, NewKey};

use crate::support::{Place, account, value, variables};

const CONNECTIONS: usize = 20;

fn filled(place: &Place) -> CredentialStore {
    let store = place.open();
    for number in 0..CONNECTIONS {
        let number = number.to_string();
        store.put(&account(&number), &variables(&format!("made-up-{number}")), None).unwrap();
    }
    store
}

#[track_caller]
fn is_whole(store: &CredentialStore) {
    for number in 0..CONNECTIONS {
        assert_eq!(value(store, &number.to_string()), Some(format!("made-up-{number}")));
    }
}

fn keys_in_file(place: &Place) -> usize {
    std::fs::read_to_string(place.key_file()).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn everything_is_readable_under_the_new_key_and_nothing_under_the_old() {
    let place = Place::new();
    let store = filled(&place);
    let old_file = std::fs::read(place.key_file()).unwrap();
    let (before, after) = (store.key().unwrap(), store.rekey(&NewKey::Made).unwrap());
    assert_ne!(before.id, after.id);
    assert_eq!((store.key().unwrap(), keys_in_file(&place)), (after, 1));
    is_whole(&store);
    is_whole(&place.open());

    std::fs::write(place.key_file(), old_file).unwrap();
    let error = place.try_open(None).unwrap_err().to_string();
    assert!(error.contains(&before.id), "{error}");
}

#[test]
fn a_process_that_has_the_store_open_goes_on() {
    let place = Place::new();
    let (store, other) = (filled(&place), place.open());
    for _ in 0..3 {
        store.rekey(&NewKey::Made).unwrap();
        is_whole(&other);
    }
    other.put(&account("new"), &variables("made-up-new"), None).unwrap();
    other.rekey(&NewKey::Made).unwrap();
    assert_eq!(value(&store, "new").as_deref(), Some("made-up-new"));
}

#[test]
fn a_crash_after_the_file_and_before_the_commit_leaves_the_old_key_in_force() {
    let place = Place::new();
    drop(filled(&place));
    let old = std::fs::read_to_string(place.key_file()).unwrap();
    // What the file has in that moment: a new key, and the old one behind it.
    std::fs::write(place.key_file(), format!("{}\n{old}", BASE64_STANDARD.encode([3; 32]))).unwrap();
    is_whole(&place.open());
    // Whoever opens the store next tidies up.
    assert_eq!(keys_in_file(&place), 1);
    is_whole(&place.open());
}

#[test]
fn a_crash_after_the_commit_leaves_the_new_key_in_force() {
    let place = Place::new();
    let store = filled(&place);
    let old = std::fs::read_to_string(place.key_file()).unwrap();
    store.rekey(&NewKey::Made).unwrap();
    let new = std::fs::read_to_string(place.key_file()).unwrap();
    std::fs::write(place.key_file(), new + &old).unwrap();
    is_whole(&place.open());
    assert_eq!(keys_in_file(&place), 1);
}

#[test]
fn a_row_that_does_not_open_leaves_everything_under_the_old_key() {
    let place = Place::new();
    let store = filled(&place);
    let before = store.key().unwrap();
    let sql = "UPDATE secret SET sealed = x'00' WHERE name = '7'";
    rusqlite::Connection::open(place.database()).unwrap().execute(sql, []).unwrap();
    let error = store.rekey(&NewKey::Made).unwrap_err().to_string();
    assert!(error.contains("variable SHOP_TOKEN of shop as 7"), "{error}");
    assert_eq!(store.key().unwrap(), before);
    assert_eq!(value(&place.open(), "8").as_deref(), Some("made-up-8"));
}

#[test]
fn a_key_moves_from_the_file_to_the_environment_and_back() {
    let place = Place::new();
    let store = filled(&place);
    let given = BASE64_STANDARD.encode([9; 32]);
    let info = store.rekey(&NewKey::Given(given.as_str().into())).unwrap();
    assert_eq!(info.source, KeySource::Given);
    assert!(!place.key_file().exists(), "a key that opens nothing is not left behind");
    assert!(place.try_open(None).is_err());
    let store = place.try_open(Some(&given)).unwrap();
    is_whole(&store);

    assert_eq!(store.rekey(&NewKey::Made).unwrap().source, KeySource::File);
    is_whole(&place.open());
}

#[test]
fn old_ciphertext_is_not_left_in_the_file_or_its_log() {
    let place = Place::new();
    let store = filled(&place);
    let sealed: Vec<u8> = rusqlite::Connection::open(place.database())
        .unwrap()
        .query_row("SELECT sealed FROM secret WHERE name = '7'", [], |row| row.get(0))
        .unwrap();
    store.rekey(&NewKey::Made).unwrap();
    for entry in std::fs::read_dir(place.path("state")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed));
    }
}
