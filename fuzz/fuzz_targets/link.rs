//! `Link` headers: what is written by the grammar is read back, and a next link leads to no other origin.
#![no_main]

use http::header::LINK;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use nuncio_client::pages::link::{self, Link};

fuzz_target!(|data: &[u8]| {
    read(data);
    if let Ok(text) = std::str::from_utf8(data) {
        written_is_read(text);
    }
});

fn read(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers = HeaderMap::from_iter([(LINK, value)]);
    let links: Vec<_> = link::links(&headers).collect();
    assert!(links.len() <= data.len() + 1);
    let bad = links.iter().position(Result::is_err);
    assert!(bad.is_none_or(|at| at + 1 == links.len()), "the first mistake is the last word");
    for link in links.iter().flatten() {
        let quoted = format!("<{}>", link.target);
        assert!(data.windows(quoted.len()).any(|part| part == quoted.as_bytes()));
    }
    let first = links.iter().find(|link| link.as_ref().map_or(true, |link| link.is("next")));
    match (first, link::next(&headers)) {
        (Some(Ok(first)), Ok(Some(target))) => assert_eq!(first.target, target),
        (None, Ok(None)) | (Some(Err(_)), Err(_)) => {}
        (first, next) => panic!("{first:?} is first, and {next:?} next"),
    }
}

/// One link a line: its target, then its relation types and, behind a `|`, a title.
fn written_is_read(text: &str) {
    let mut written = Vec::new();
    let mut links = Vec::new();
    for line in text.lines() {
        let (line, title) = line.split_once('|').unwrap_or((line, ""));
        let mut words = line.split_ascii_whitespace();
        let Some(target) = words.next().filter(|target| !target.contains('>')) else { continue };
        let rels: Vec<String> = words.filter(|rel| !rel.starts_with('\'')).map(str::to_owned).collect();
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        written.push(format!(
            "<{target}>; title=\"{}\"; rel=\"{}\"",
            escaped(title),
            escaped(&rels.join(" "))
        ));
        links.push(Link { target: target.to_owned(), rels });
    }
    let Ok(value) = HeaderValue::from_bytes(written.join(", ").as_bytes()) else { return };
    let headers = HeaderMap::from_iter([(LINK, value)]);
    let read: Vec<Link> = link::links(&headers).map(|link| link.expect("it follows the grammar")).collect();
    assert_eq!(read, links);
}
