//! Secrets among the settings: where they stand, how they are blanked, and how a blank is filled again.

use nuncio_client::Redactor;
use nuncio_client::redact::BLANK;
use nuncio_relay::store::{Document, DocumentKind};
use serde_json::Value;

use crate::problem::Problem;

/// Where secrets stand in settings: paths of keys, `*` for any, and all texts below.
fn places(kind: DocumentKind) -> &'static [&'static [&'static str]] {
    match kind {
        DocumentKind::Source => &[&["secrets", "*"], &["settings", "*"]],
        DocumentKind::Endpoint => &[
            &["to", "http", "auth"],
            &["to", "http", "client_certificate"],
            &["to", "http", "headers", "*"],
            &["to", "http", "secrets", "*"],
        ],
        _ => &[],
    }
}

/// The settings with every secret blanked.
pub(crate) fn blank(kind: DocumentKind, mut settings: Value) -> Value {
    let blank = &mut |_: &str, secret: &mut String| BLANK.clone_into(secret);
    places(kind).iter().for_each(|place| visit(&mut settings, place, "", blank));
    settings
}

/// Has every secret of a document blanked in all that leaves the program.
pub(crate) fn register(document: &Document) {
    let register = &mut |_: &str, secret: &mut String| {
        // A template stands for a secret that is registered when it is read.
        if !secret.contains("{{") {
            Redactor::global().register(secret);
        }
    };
    let are_secret = places(document.kind).iter().filter(|place| place[0] != "settings");
    let mut settings = document.value.clone();
    are_secret.for_each(|place| visit(&mut settings, place, "", register));
}

/// Puts back the secrets that were blanked when these settings were read, from where they stood.
pub(crate) fn restore(
    kind: DocumentKind,
    settings: &mut Value,
    before: Option<&Value>,
) -> Result<(), Problem> {
    let mut missing = None;
    let restore = &mut |place: &str, secret: &mut String| {
        if secret == BLANK {
            match before.and_then(|before| before.pointer(place)).and_then(Value::as_str) {
                Some(kept) => kept.clone_into(secret),
                None => missing = Some(place.to_owned()),
            }
        }
    };
    places(kind).iter().for_each(|place| visit(settings, place, "", restore));
    match missing {
        None => Ok(()),
        Some(place) => {
            Err(Problem::invalid(format!("{place} is {BLANK}, which keeps a secret, and there is none")))
        }
    }
}

/// Shows `each` all texts at `place` and below, with their JSON pointers.
fn visit(value: &mut Value, place: &[&str], at: &str, each: &mut dyn FnMut(&str, &mut String)) {
    let (step, rest) = place.split_first().map_or(("*", place), |(step, rest)| (*step, rest));
    match value {
        Value::String(text) if place.is_empty() => each(at, text),
        Value::Object(members) => {
            let named = members.iter_mut().filter(|(name, _)| step == "*" || step == *name);
            for (name, value) in named {
                let name = name.replace('~', "~0").replace('/', "~1");
                visit(value, rest, &format!("{at}/{name}"), each);
            }
        }
        Value::Array(items) if step == "*" => {
            for (index, value) in items.iter_mut().enumerate() {
                visit(value, rest, &format!("{at}/{index}"), each);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn endpoint() -> Value {
        json!({ "from": "source/shop", "to": { "http": {
            "url": "https://receiver.example.test/",
            "headers": { "x/key": "made-up-key" },
            "secrets": ["made-up-one", "made-up-two"],
            "auth": { "basic": { "username": "made-up-name", "password": "made-up-password" } },
        } } })
    }

    #[test]
    fn what_was_blanked_is_put_back() {
        let blanked = blank(DocumentKind::Endpoint, endpoint());
        assert!(!blanked.to_string().contains("made-up"), "{blanked}");
        let mut restored = blanked;
        restore(DocumentKind::Endpoint, &mut restored, Some(&endpoint())).unwrap();
        assert_eq!(restored, endpoint());
    }

    #[test]
    fn a_blank_for_which_nothing_is_kept_is_refused() {
        let mut blanked = blank(DocumentKind::Endpoint, endpoint());
        assert!(restore(DocumentKind::Endpoint, &mut blanked, None).is_err());
    }
}
