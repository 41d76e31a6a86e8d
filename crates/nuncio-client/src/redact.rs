//! One place that knows every secret of the process and blanks it in whatever is about to leave.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, RwLock};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _,
};
use http::{HeaderMap, HeaderName, header};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC};

/// What stands where a secret stood.
pub const BLANK: &str = "***";

/// Values shorter than this are blanked only where they stand in a known place (a header, a query parameter):
/// searching text for `a` would blank the text.
pub const SHORTEST_SEARCHED: usize = 4;

/// Blanks registered secrets in text, as they are and as JSON, URLs, forms and base64 would write them.
#[derive(Default)]
pub struct Redactor {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    spellings: BTreeSet<String>,
    /// Rebuilt by the first search after a registration, so that registering many is cheap.
    search: Option<Search>,
}

/// What is searched for of a spelling; the rest is compared where this was found. A private key in all its spellings would make an
/// automaton of a hundred thousand states.
const HEAD_BYTES: usize = 64;

/// Finds spellings by their beginnings.
struct Search {
    heads: AhoCorasick,
    /// How the spellings of each head go on.
    tails: Vec<Vec<String>>,
}

impl Search {
    fn new(spellings: &BTreeSet<String>) -> Self {
        let mut by_head = BTreeMap::<&str, Vec<String>>::new();
        for spelling in spellings {
            let (head, tail) = spelling.split_at(boundary(spelling, HEAD_BYTES));
            by_head.entry(head).or_default().push(tail.to_owned());
        }
        let (heads, tails): (Vec<_>, _) = by_head.into_iter().unzip();
        let heads = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(heads);
        Self { heads: heads.expect("heads are far below the automaton's size limit"), tails }
    }

    /// `bytes` with blanks; nothing when there is nothing to blank. A secret that breaks off is blanked as far as it goes, and of secrets
    /// that overlap each.
    fn blank(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let (mut shown, mut look) = (0, 0);
        while let Some(found) = self.heads.find(Input::new(bytes).range(look..)) {
            let rest = &bytes[found.end()..];
            let tails = self.tails[found.pattern()].iter().map(|tail| common(tail, rest));
            let end = found.end() + tails.max().unwrap_or_default();
            if found.start() >= shown {
                out.extend_from_slice(&bytes[shown..found.start()]);
                out.extend_from_slice(BLANK.as_bytes());
            }
            shown = shown.max(end);
            look = found.start() + 1;
        }
        (shown > 0).then(|| [&out[..], &bytes[shown..]].concat())
    }
}

/// How many bytes `text` begins with that `bytes` begins with too, in whole characters.
fn common(text: &str, bytes: &[u8]) -> usize {
    let same = text.bytes().zip(bytes).take_while(|(one, other)| one == *other).count();
    boundary(text, same)
}

/// The last place up to `at` where `text` can be cut.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

static GLOBAL: LazyLock<Redactor> = LazyLock::new(Redactor::default);

impl Redactor {
    /// The redactor of the process, with which every [`Secret`](crate::Secret) is registered.
    pub fn global() -> &'static Self {
        &GLOBAL
    }

    /// Blanks `secret` from now on. Registering twice does nothing.
    pub fn register(&self, secret: &str) {
        if secret.len() < SHORTEST_SEARCHED {
            return;
        }
        let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.spellings.contains(secret) {
            return;
        }
        state.spellings.extend(spellings(secret));
        state.search = None;
    }

    /// `text` with every registered secret replaced by [`BLANK`]; borrowed when there was none.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.with_search(|search| search.blank(text.as_bytes())).flatten() {
            Some(blanked) => Cow::Owned(String::from_utf8(blanked).expect("cut between characters")),
            None => Cow::Borrowed(text),
        }
    }

    /// Like [`redact`](Self::redact) for bytes that need not be text.
    pub fn redact_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.with_search(|search| search.blank(bytes)).flatten().map_or(Cow::Borrowed(bytes), Cow::Owned)
    }

    fn with_search<T>(&self, f: impl FnOnce(&Search) -> T) -> Option<T> {
        {
            let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            if state.spellings.is_empty() {
                return None;
            }
            if let Some(search) = &state.search {
                return Some(f(search));
            }
        }
        let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let search = Search::new(&state.spellings);
        let result = f(&search);
        state.search = Some(search);
        Some(result)
    }
}

/// The ways a secret is written by the encoders it may pass through.
fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let json = |text: &str| {
        let quoted = serde_json::to_string(text).expect("a string is always JSON");
        quoted[1..quoted.len() - 1].to_owned()
    };
    // PHP escapes a slash, and it and Python whatever is not ASCII.
    let escaped =
        |json: String| [json.replace('/', "\\/"), ascii(&json), ascii(&json).replace('/', "\\/"), json];
    let once = escaped(json(secret));
    // A server that quotes a JSON body in its JSON answer escapes it once more.
    let twice: Vec<String> = once.iter().flat_map(|once| escaped(json(once))).collect();
    let urls = URL_SETS.into_iter().flat_map(|set| {
        let pieces = || percent_encoding::utf8_percent_encode(secret, set);
        // .NET writes the digits of an escape small.
        let small = |piece: &str| {
            // A longer piece is what was left as it is, and may have percent signs of its own.
            let is_escape = piece.starts_with('%') && piece.len() == 3;
            if is_escape { piece.to_lowercase() } else { piece.to_owned() }
        };
        [pieces().to_string(), pieces().map(small).collect()]
    });
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let engines = [
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    let urls: Vec<String> = urls.collect();
    [secret.to_owned(), form].into_iter().chain(once).chain(twice).chain(urls).chain(engines)
}

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What encoders of URLs escape, from the strictest to the URL standard's for a query.
const URL_SETS: [&AsciiSet; 4] = [
    NON_ALPHANUMERIC,
    RESERVED,
    // JavaScript's `encodeURIComponent`.
    &RESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')'),
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>'),
];

/// JSON of ASCII alone.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Headers that carry credentials by their nature, whoever set them.
const CREDENTIAL_HEADERS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE];

/// Name and printable value of each header, credentials blanked.
///
/// A header is blanked whole when its value is marked sensitive or its name is one that carries credentials.
pub fn headers(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, String)> {
    headers.iter().map(|(name, value)| {
        if value.is_sensitive() || CREDENTIAL_HEADERS.contains(name) {
            return (name, BLANK.to_owned());
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        (name, Redactor::global().redact(&text).into_owned())
    })
}

/// `url`, a [`url::Url`] or an [`http::Uri`], without user, password and fragment, secrets blanked.
#[must_use]
pub fn url(url: &impl std::fmt::Display) -> String {
    let text = url.to_string();
    let Ok(mut shown) = text.parse::<url::Url>() else {
        return Redactor::global().redact(&text).into_owned();
    };
    // Both fail only for URLs that cannot have a user, which then have none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    Redactor::global().redact(shown.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_blanked_however_it_is_written() {
        let redactor = Redactor::default();
        let secret = "made \"up\"/+ö";
        redactor.register(secret);
        for spelling in spellings(secret) {
            assert_eq!(redactor.redact(&format!("<{spelling}>")), "<***>", "{spelling}");
        }
    }

    #[test]
    fn a_secret_is_blanked_as_encoders_of_other_languages_write_it() {
        let redactor = Redactor::default();
        redactor.register("Made-Up/ö+1");
        for spelling in [
            r"Made-Up\/ö+1",
            r"Made-Up\/\u00f6+1",
            r"Made-Up/\u00f6+1",
            r"Made-Up\\/ö+1",
            "Made-Up%2F%C3%B6%2B1",
            "Made-Up%2f%c3%b6%2b1",
            "Made%2DUp%2F%C3%B6%2B1",
            "Made-Up/%C3%B6+1",
        ] {
            assert_eq!(redactor.redact(&format!("<{spelling}>")), "<***>", "{spelling}");
        }
    }

    #[test]
    fn percent_signs_of_the_secret_itself_keep_their_digits() {
        let redactor = Redactor::default();
        redactor.register("made up%3Aö");
        assert_eq!(redactor.redact("?key=made%20up%3A%c3%b6"), "?key=***");
    }

    #[test]
    fn the_longer_of_two_overlapping_secrets_is_blanked() {
        let redactor = Redactor::default();
        redactor.register("made-up");
        redactor.register("made-up-longer");
        assert_eq!(redactor.redact("made-up-longer"), "***");
    }

    #[test]
    fn a_secret_that_begins_within_its_own_beginning_is_blanked_too() {
        let redactor = Redactor::default();
        let secret = format!("{}end", "made-".repeat(20));
        redactor.register(&secret);
        assert_eq!(redactor.redact(&format!("<made-{secret}>")), "<***>");
    }

    #[test]
    fn a_long_secret_is_blanked_whole_and_as_far_as_it_is_there() {
        let redactor = Redactor::default();
        let long = "made-up key of ö and /, ".repeat(40);
        redactor.register(&long);
        redactor.register(&format!("{long}another"));
        for spelling in spellings(&long) {
            assert_eq!(redactor.redact(&format!("<{spelling}>")), "<***>", "{spelling}");
        }
        assert_eq!(redactor.redact(&format!("<{long}anothex>")), "<***x>");
        assert_eq!(redactor.redact(&format!("<{}>", &long[..480])), "<***>");
    }

    #[test]
    fn what_only_begins_like_a_long_secret_is_cut_between_characters() {
        let redactor = Redactor::default();
        let secret = format!("{}ö", "m".repeat(HEAD_BYTES));
        redactor.register(&secret);
        // Both letters have the same first byte.
        assert_eq!(redactor.redact(&secret.replace('ö', "ä")), "***ä");
    }

    #[test]
    fn text_without_secrets_is_not_copied() {
        let redactor = Redactor::default();
        redactor.register("made-up");
        assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_sensitive_header_is_blanked_whole() {
        let mut map = HeaderMap::new();
        let mut value = http::HeaderValue::from_static("ab");
        value.set_sensitive(true);
        map.insert("x-key", value);
        map.insert(header::AUTHORIZATION, http::HeaderValue::from_static("Basic eDp5"));
        assert!(headers(&map).all(|(_, shown)| shown == BLANK));
    }
}
