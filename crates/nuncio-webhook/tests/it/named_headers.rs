//! Headers that a request names to be signed, beside what `tests/vectors` has of them.

use std::time::UNIX_EPOCH;

use hmac::{Hmac, KeyInit as _, Mac as _};
use nuncio_webhook::{Refusal, Request, Scheme, Secrets, verify};
use sha2::Sha256;

const SCHEME: &str = r#"{
    "signatures": [{"at": {"header": "X-Signature"}, "signed": "{header-names}|{named-headers}|{path}|{body}",
        "algorithm": "hmac-sha256", "encoding": "hex"}],
    "headers": {"at": {"header": "X-Signed"}, "list": " ", "between": ";", "after_name": "="}
}"#;

fn verdict(signed: &str, url: &str, headers: &[(&'static str, String)]) -> Result<(), Refusal> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(b"made-up-secret").unwrap();
    hmac.update(signed.as_bytes());
    let signature = hex::encode(hmac.finalize().into_bytes());
    let headers: Vec<_> = headers.iter().cloned().chain([("X-Signature", signature)]).collect();
    let request = Request { method: "POST", url, headers: &headers, body: b"{}" };
    let scheme: Scheme = serde_json::from_str(SCHEME).unwrap();
    verify(&scheme, &request, &Secrets::new().with("current", "made-up-secret"), UNIX_EPOCH).map(|_| ())
}

fn header(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}

#[test]
fn the_headers_are_signed_in_the_order_of_their_names_and_as_they_are_named() {
    let headers = [header("X-A", "1"), header("X-B", "2"), header("X-Signed", "x-b X-a")];
    assert_eq!(verdict("x-b X-a|x-b=2;X-a=1|/in?c=d|{}", "https://a.test/in?c=d", &headers), Ok(()));
    let other = verdict("x-b X-a|X-a=1;x-b=2|/in?c=d|{}", "https://a.test/in?c=d", &headers);
    assert_eq!(other, Err(Refusal::NoMatch));
}

#[test]
fn a_named_header_that_is_missing_or_there_twice_is_refused() {
    let missing = verdict("", "https://a.test/", &[header("X-Signed", "x-b")]);
    assert_eq!(missing, Err(Refusal::Missing { place: "the header x-b".to_owned() }));
    let twice = [header("X-B", "1"), header("x-b", "1"), header("X-Signed", "x-b")];
    let twice = verdict("", "https://a.test/", &twice);
    assert_eq!(twice, Err(Refusal::Ambiguous { place: "the header x-b".to_owned() }));
}

#[test]
fn the_list_of_names_has_a_bound() {
    let of = |count: usize| [header("X-B", "1"), header("X-Signed", &vec!["x-b"; count].join(" "))];
    assert_eq!(verdict("", "https://a.test/", &of(64)), Err(Refusal::NoMatch));
    let many = verdict("", "https://a.test/", &of(65));
    assert_eq!(many, Err(Refusal::TooLong { place: "the header X-Signed".to_owned() }));
}

#[test]
fn a_url_without_a_path_has_none_to_sign() {
    let headers = [header("X-B", "1"), header("X-Signed", "x-b")];
    for url in ["", "https://a.test", "https://a.test?b=/c", "/in"] {
        let missing = Err(Refusal::Missing { place: "the path of the URL".to_owned() });
        assert_eq!(verdict("", url, &headers), missing, "{url}");
    }
}
