//! The key in a keyring: one that is played here, and the one of the operating system.

use std::sync::{Arc, Mutex};

use nuncio_client::{Error, Secret};
use nuncio_credentials::{CredentialStore, Entry, KeySource, Keyring, NewKey, Options};

use crate::support::{Place, account, value, variables};

/// Keeps one secret in memory.
#[derive(Clone, Default)]
struct Played(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    secret: Option<Secret>,
    is_locked: bool,
}

impl Played {
    fn unlocked<T>(&self, work: impl FnOnce(&mut Option<Secret>) -> T) -> Result<T, Error> {
        let mut contents = self.0.lock().unwrap();
        match contents.is_locked {
            true => Err(Error::configuration("the keyring is locked")),
            false => Ok(work(&mut contents.secret)),
        }
    }

    fn lines(&self) -> usize {
        self.unlocked(|secret| secret.as_ref().map_or(0, |secret| secret.expose().lines().count())).unwrap()
    }
}

impl Entry for Played {
    fn load(&self) -> Result<Option<Secret>, Error> {
        self.unlocked(|secret| secret.clone())
    }

    fn save(&self, secret: &Secret) -> Result<(), Error> {
        self.unlocked(|kept| *kept = Some(secret.clone()))
    }

    fn remove(&self) -> Result<(), Error> {
        self.unlocked(|kept| *kept = None)
    }
}

fn options(place: &Place, keyring: Option<&Played>) -> Options {
    let mut options = place.options(None);
    options.keys.keyring = keyring.cloned().map(Keyring::new);
    options
}

fn filled(place: &Place, keyring: &Played) -> CredentialStore {
    let store = CredentialStore::open(options(place, Some(keyring))).unwrap();
    store.put(&account("a"), &variables("made-up-in-keyring"), None).unwrap();
    store
}

#[test]
fn a_key_that_is_made_goes_to_the_keyring_and_to_no_file() {
    let (place, keyring) = (Place::new(), Played::default());
    assert_eq!(filled(&place, &keyring).key().unwrap().source, KeySource::Keyring);
    assert!(!place.key_file().exists() && keyring.lines() == 1);
    let again = CredentialStore::open(options(&place, Some(&keyring))).unwrap();
    assert_eq!(value(&again, "a").as_deref(), Some("made-up-in-keyring"));
}

#[test]
fn without_its_keyring_a_store_is_not_opened_and_not_made_anew() {
    let (place, keyring) = (Place::new(), Played::default());
    let id = filled(&place, &keyring).key().unwrap().id;
    let refusal = |keyring: Option<&Played>| match CredentialStore::open(options(&place, keyring)) {
        Ok(_) => panic!("it opened"),
        Err(error) => error.report(),
    };
    let absent = refusal(None);
    assert!(absent.contains(&format!("the key {id} of the keyring")), "{absent}");
    assert!(absent.contains("in the session that has the keyring"), "{absent}");
    let other = refusal(Some(&Played::default()));
    assert!(other.contains("the keyring is not there"), "{other}");
    keyring.0.lock().unwrap().is_locked = true;
    assert!(refusal(Some(&keyring)).contains("the keyring is locked"));

    keyring.0.lock().unwrap().is_locked = false;
    let store = CredentialStore::open(options(&place, Some(&keyring))).unwrap();
    assert_eq!(value(&store, "a").as_deref(), Some("made-up-in-keyring"));
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one_in_the_keyring() {
    let (place, keyring) = (Place::new(), Played::default());
    let store = filled(&place, &keyring);
    let before = store.key().unwrap();
    let after = store.rekey(&NewKey::Made).unwrap();
    assert_eq!((after.source, after.id == before.id, keyring.lines()), (KeySource::Keyring, false, 1));

    let given = "09".repeat(32);
    store.rekey(&NewKey::Given(given.as_str().into())).unwrap();
    assert_eq!(keyring.lines(), 0, "a key that opens nothing is not left behind");
    assert_eq!(value(&place.try_open(Some(&given)).unwrap(), "a").as_deref(), Some("made-up-in-keyring"));
}

#[test]
fn a_key_moves_from_the_file_to_the_keyring() {
    let (place, keyring) = (Place::new(), Played::default());
    let store = place.open();
    store.put(&account("a"), &variables("made-up-to-move"), None).unwrap();
    drop(store);
    // The store says where its key is: a keyring that came later changes nothing by itself.
    let store = CredentialStore::open(options(&place, Some(&keyring))).unwrap();
    assert_eq!((store.key().unwrap().source, keyring.lines()), (KeySource::File, 0));
    assert_eq!(store.rekey(&NewKey::Made).unwrap().source, KeySource::Keyring);
    assert!(!place.key_file().exists());
    let again = CredentialStore::open(options(&place, Some(&keyring))).unwrap();
    assert_eq!(value(&again, "a").as_deref(), Some("made-up-to-move"));
}

/// `cargo xtask test keyring` runs it with a keyring of its own. In that of whoever runs it by hand it has an entry of its own, and takes it
/// back.
#[cfg(feature = "keyring")]
#[test]
fn the_keyring_of_the_operating_system_keeps_a_key() {
    let place = Place::new();
    let with_keyring = || {
        let mut options = place.options(None);
        options.keys.keyring = Some(Keyring::of_user("made-up key of a test").unwrap());
        CredentialStore::open(options).unwrap()
    };
    let store = with_keyring();
    store.put(&account("a"), &variables("made-up-for-the-system"), None).unwrap();
    assert_eq!(store.rekey(&NewKey::Made).unwrap().source, KeySource::Keyring);
    assert_eq!(value(&with_keyring(), "a").as_deref(), Some("made-up-for-the-system"));
    store.rekey(&NewKey::Given("07".repeat(32).as_str().into())).unwrap();
    assert_eq!(
        CredentialStore::open(place.options(None)).map(drop).unwrap_err().kind(),
        nuncio_client::Kind::Configuration
    );
}
