//! From one store to another.

use nuncio_client::Secret;
use nuncio_client::auth::oauth2::Tokens;

use crate::support::{Place, account, value, variables};

fn passphrase() -> Secret {
    "made-up passphrase".into()
}

fn exported() -> String {
    let place = Place::new();
    let store = place.open();
    let tokens = Tokens { refresh_token: Some("made-up-refresh".into()), ..Tokens::default() };
    store.put(&account("a"), &variables("made-up-value"), Some(&tokens)).unwrap();
    store.put(&account("b"), &variables("made-up-other"), None).unwrap();
    store.export(&passphrase()).unwrap()
}

#[test]
fn what_is_exported_is_imported_and_the_document_shows_none_of_it() {
    let document = exported();
    for word in ["made-up", "shop", "SHOP_TOKEN", "bWFkZS11c"] {
        assert!(!document.contains(word), "{word} in {document}");
    }
    let place = Place::new();
    let accounts = place.open().import(&document, &passphrase(), false).unwrap();
    assert_eq!(accounts, [account("a"), account("b")]);
    let found = place.open().get(&account("a")).unwrap().unwrap();
    assert_eq!(found.variables["SHOP_TOKEN"].expose(), "made-up-value");
    assert_eq!(found.tokens.unwrap().refresh_token.unwrap().expose(), "made-up-refresh");
}

#[test]
fn an_account_that_is_there_is_not_replaced_unless_asked_for_and_then_nothing_is_imported() {
    let document = exported();
    let place = Place::new();
    place.open().put(&account("b"), &variables("made-up-mine"), None).unwrap();
    let error = place.open().import(&document, &passphrase(), false).unwrap_err().to_string();
    assert!(error.contains("shop as b is stored already"), "{error}");
    assert_eq!(
        (value(&place.open(), "a"), value(&place.open(), "b").as_deref()),
        (None, Some("made-up-mine"))
    );
    place.open().import(&document, &passphrase(), true).unwrap();
    assert_eq!(value(&place.open(), "b").as_deref(), Some("made-up-other"));
}

#[test]
fn a_wrong_passphrase_or_document_is_told_and_changes_nothing() {
    let document = exported();
    let place = Place::new();
    let refused = |document: &str, passphrase: &str| {
        place.open().import(document, &passphrase.into(), true).unwrap_err().to_string()
    };
    assert!(refused(&document, "made-up-wrong").contains("the passphrase is another"));
    let damaged = document.replace("\"sealed\":\"", "\"sealed\":\"AAAA");
    assert!(refused(&damaged, "made-up passphrase").contains("the document was changed"));
    for (document, reason) in [
        ("{}".to_owned(), "not whole"),
        ("made-up text".to_owned(), "not whole"),
        (document.replace("\"nuncio_export\":1", "\"nuncio_export\":2"), "version 2"),
        (document.replace("600000", "1"), "its rounds are 1"),
        (document.replace("600000", "4000000000"), "its rounds are 4000000000"),
        (document[..document.len() / 2].to_owned(), "not whole"),
    ] {
        let error = refused(&document, "made-up passphrase");
        assert!(error.contains(reason), "{reason}: {error}");
    }
    assert!(place.open().list().unwrap().is_empty());
}
