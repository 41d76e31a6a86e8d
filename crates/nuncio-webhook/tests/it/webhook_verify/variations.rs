//! What may happen to a request: before it is signed, to the signature, and on the road.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use sha2::{Digest as _, Sha256};

use super::{Draft, NOW};

/// One thing that happens to a request.
pub(super) struct Variation {
    pub(super) name: &'static str,
    pub(super) when: When,
    pub(super) change: Change,
}

pub(super) enum Change {
    Any(fn(&mut Draft)),
    /// To the value of a header that is a list, with its separator. Providers without one are left alone.
    List(fn(&str, char) -> String),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// Before it is signed: it is good, if odd.
    Before,
    /// To the text of the signature.
    Signature,
    /// After it was sent.
    Arrival,
}

const fn before(name: &'static str, change: fn(&mut Draft)) -> Variation {
    Variation { name, when: When::Before, change: Change::Any(change) }
}

const fn signature(name: &'static str, change: fn(&mut Draft)) -> Variation {
    Variation { name, when: When::Signature, change: Change::Any(change) }
}

const fn arrival(name: &'static str, change: fn(&mut Draft)) -> Variation {
    Variation { name, when: When::Arrival, change: Change::Any(change) }
}

const fn list(name: &'static str, change: fn(&str, char) -> String) -> Variation {
    Variation { name, when: When::Arrival, change: Change::List(change) }
}

pub(super) const VARIATIONS: &[Variation] = &[
    before("as the provider sends it", |_| {}),
    // Bodies.
    before("empty body", |draft| draft.set_body(b"")),
    before("body with a byte order mark", |draft| draft.set_body(b"\xef\xbb\xbf{}")),
    before("body with CR LF and NUL", |draft| draft.set_body(b"{\r\n\0}\r\n")),
    before("body that is no UTF-8", |draft| draft.set_body(b"\xff\xfe\xc3(")),
    arrival("a byte of the body changed", |draft| {
        if let Some(at) = draft.number.checked_rem(draft.body.len()) {
            draft.body[at] ^= 1;
        } else {
            draft.body.push(b'x');
        }
    }),
    arrival("a line end after the body", |draft| draft.body.push(b'\n')),
    arrival("the body is cut", |draft| {
        if draft.body.pop().is_none() {
            draft.body.push(b'x');
        }
    }),
    // Times.
    before("as old as may be", |draft| draft.set_time(NOW - draft.peer.tolerance)),
    before("a second too old", |draft| draft.set_time(NOW - draft.peer.tolerance - 1)),
    before("as far ahead as may be", |draft| draft.set_time(NOW + draft.peer.tolerance)),
    before("a second too far ahead", |draft| draft.set_time(NOW + draft.peer.tolerance + 1)),
    before("timestamp with a zero before it", |draft| draft.set_timestamp(format!("0{NOW}"))),
    before("timestamp with a sign", |draft| draft.set_timestamp(format!("+{NOW}"))),
    before("timestamp with a space before it", |draft| draft.set_timestamp(format!(" {NOW}"))),
    before("timestamp with a space after it", |draft| draft.set_timestamp(format!("{NOW} "))),
    before("timestamp with a fraction", |draft| draft.set_timestamp(format!("{NOW}.0"))),
    before("timestamp in milliseconds", |draft| draft.set_timestamp(format!("{NOW}000"))),
    before("timestamp of twenty digits", |draft| draft.set_timestamp("18446744073709551616".to_owned())),
    before("timestamp in digits that are not ASCII", |draft| {
        draft.set_timestamp("１７６０００００００".to_owned());
    }),
    before("timestamp that is empty", |draft| draft.set_timestamp(String::new())),
    arrival("timestamp changed", |draft| draft.replace(&NOW.to_string(), &(NOW + 1).to_string())),
    // Spellings of the signature.
    signature("signature in capitals", |draft| draft.spell(|text| text.to_uppercase(), |_| None)),
    signature("one digit of the signature in capitals", |draft| {
        draft.spell(|text| text.replacen(['a', 'b', 'c', 'd', 'e', 'f'], "A", 1), |_| None);
    }),
    signature("signature without padding", |draft| {
        draft.spell(str::to_owned, |bytes| Some(STANDARD_NO_PAD.encode(bytes)));
    }),
    signature("signature in the alphabet for URLs", |draft| {
        draft.spell(str::to_owned, |bytes| Some(URL_SAFE.encode(bytes)));
    }),
    signature("signature in the other encoding", |draft| {
        draft.spell(
            |text| STANDARD.encode(hex::decode(text).unwrap_or_default()),
            |bytes| Some(hex::encode(bytes)),
        );
    }),
    signature("signature with bits beyond its end", |draft| {
        draft.spell(str::to_owned, |bytes| {
            let text = STANDARD.encode(bytes);
            // The last digit before the padding has two or four bits that mean nothing.
            let at = text.find('=')?.checked_sub(1)?;
            let next = char::from(text.as_bytes()[at] + 1);
            Some(format!("{}{next}{}", &text[..at], &text[at + 1..]))
        });
    }),
    signature("a space before the signature", |draft| draft.signature.insert(0, ' ')),
    signature("a space after the signature", |draft| draft.signature.push(' ')),
    signature("a tab after the signature", |draft| draft.signature.push('\t')),
    signature("a line end in the signature", |draft| draft.signature.insert(4, '\n')),
    signature("signature in quotes", |draft| draft.signature = format!("\"{}\"", draft.signature)),
    signature("signature cut", |draft| drop(draft.signature.drain(..4))),
    signature("more after the signature", |draft| draft.signature.push_str("0000")),
    signature("signature of the wrong length", |draft| draft.signature = "00000000".to_owned()),
    signature("no signature", |draft| draft.signature.clear()),
    signature("signature that is not ASCII", |draft| draft.signature.push('é')),
    signature("another signature", |draft| {
        draft.spell(
            |text| text.chars().rev().collect(),
            |bytes| Some(STANDARD.encode(bytes.iter().rev().copied().collect::<Vec<_>>())),
        );
    }),
    arrival("what stands before the signature in capitals", |draft| {
        draft.edit_signature(|value, signature| {
            value.replace(signature, "\0").to_uppercase().replace('\0', signature)
        });
    }),
    arrival("what stands before the signature left out", |draft| {
        draft.edit_signature(|_, signature| signature.to_owned());
    }),
    // Headers.
    arrival("names of headers in capitals", |draft| {
        draft.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
    }),
    arrival("names of headers in small letters", |draft| {
        draft.headers.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
    }),
    arrival("headers in another order", |draft| draft.headers.reverse()),
    arrival("a header is missing", |draft| {
        let at = draft.number % draft.peer.headers.len();
        draft.headers.remove(at);
    }),
    arrival("the header is empty", |draft| draft.edit_signature(|_, _| String::new())),
    arrival("the header stands twice", |draft| {
        let copy = draft.headers[draft.peer.signature_header()].clone();
        draft.headers.push(copy);
    }),
    arrival("a bad header after the good one", |draft| {
        let name = draft.headers[draft.peer.signature_header()].0.clone();
        draft.headers.push((name, "bad".to_owned()));
    }),
    arrival("a bad header before the good one", |draft| {
        let name = draft.headers[draft.peer.signature_header()].0.clone();
        draft.headers.insert(0, (name, "bad".to_owned()));
    }),
    // Lists.
    list("an unknown item before", |item, sep| format!("v0{}x{sep}{item}", kind_mark(sep))),
    list("an unknown item after", |item, sep| format!("{item}{sep}v9{}x", kind_mark(sep))),
    list("a word without a version before", |item, sep| format!("word{sep}{item}")),
    list("a bad signature before the good one", |item, sep| format!("{}{sep}{item}", wrong(sep))),
    list("a bad signature after the good one", |item, sep| format!("{item}{sep}{}", wrong(sep))),
    list("an item that is no signature before the good one", |item, sep| {
        format!("v1{}?{sep}{item}", kind_mark(sep))
    }),
    list("a cut signature after the good one", |item, sep| format!("{item}{sep}v1{}0000", kind_mark(sep))),
    list("an empty signature after the good one", |item, sep| format!("{item}{sep}v1{}", kind_mark(sep))),
    list("a separator too many", |item, sep| format!("{sep}{item}{sep}{sep}")),
    list("the items in another order", |item, sep| {
        item.split(sep).rev().collect::<Vec<_>>().join(&sep.to_string())
    }),
    list("a space after the separator", |item, sep| item.replace(sep, &format!("{sep} "))),
    list("a hundred bad signatures before the good one", |item, sep| {
        format!("{}{item}", format!("{}{sep}", wrong(sep)).repeat(100))
    }),
    list("an unknown item of 20,000 characters", |item, sep| {
        format!("{item}{sep}v9{}{}", kind_mark(sep), "x".repeat(20_000))
    }),
    list("the timestamp twice", |item, sep| match sep {
        ',' => format!("{item},t={NOW}"),
        _ => item.to_owned(),
    }),
    list("only a signature of an older version", |item, _| item.replace("v1", "v0")),
    // Secrets.
    arrival("another secret", |draft| draft.secrets = vec![draft.peer.shown("another-made-up-secret")]),
    arrival("the old secret after a new one", |draft| {
        draft.secrets.insert(0, draft.peer.shown("bmV3LW1hZGUtdXAtc2VjcmV0"));
    }),
    arrival("a new secret after the old one", |draft| {
        draft.secrets.push(draft.peer.shown("bmV3LW1hZGUtdXAtc2VjcmV0"));
    }),
    arrival("a secret that is none before the good one", |draft| draft.secrets.insert(0, "?".to_owned())),
    arrival("a line end after the secret", |draft| draft.secrets[0].push('\n')),
    arrival("the secret in other capitals", |draft| draft.secrets[0] = draft.secrets[0].to_uppercase()),
    before("no secret", |draft| draft.set_secret("")),
    before("a secret that is not ASCII", |draft| draft.set_secret("gehëim")),
    before("secret without its prefix", |draft| draft.set_secret("bWFkZS11cC1zZWNyZXQtMjQtYnl0ZXMh")),
    before("secret without padding", |draft| draft.set_secret("whsec_bWFkZS11cC1zZWNyZXQ")),
    before("secret in the alphabet for URLs", |draft| draft.set_secret("whsec_-_-_bWFkZS11cA==")),
    before("secret with bits beyond its end", |draft| draft.set_secret("whsec_bWFkZS11cC1zZWNyZXR=")),
    // Ids, URLs, forms.
    before("an id that is empty", |draft| draft.id.clear()),
    before("an id with dots", |draft| draft.id = "a.b.1".to_owned()),
    arrival("the URL with the default port", |draft| draft.url = draft.url.replace(".test/", ".test:443/")),
    arrival("the URL without its port", |draft| draft.url = draft.url.replace(":8443", "")),
    arrival("the URL with a slash at the end", |draft| draft.url.push('/')),
    arrival("the URL over http", |draft| draft.url = draft.url.replace("https:", "http:")),
    before("a form with the same pair twice", |draft| draft.set_form("b=2&a=1&a=1")),
    before("a form with a name twice, the greater value first", |draft| draft.set_form("a=2&a=1&b=")),
    before("a form with names in capitals and small letters", |draft| {
        draft.set_form("b=1&B=2&a+b=%C3%A9&=x");
    }),
    before("JSON whose digest is in the URL", |draft| draft.set_json(true)),
    before("JSON of which the digest in the URL is not", |draft| {
        draft.set_json(true);
        draft.body[0] ^= u8::from(draft.is_json);
    }),
    before("JSON whose digest is nowhere", |draft| draft.set_json(false)),
];

/// What separates an item of a list from its version.
fn kind_mark(separator: char) -> char {
    if separator == ',' { '=' } else { ',' }
}

/// A signature that is well written and of something else.
fn wrong(separator: char) -> String {
    let digest = Sha256::digest("something else");
    match separator {
        ',' => format!("v1={}", hex::encode(digest)),
        _ => format!("v1,{}", STANDARD.encode(digest)),
    }
}
