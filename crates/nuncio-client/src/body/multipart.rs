//! `multipart/form-data` bodies (RFC 7578), with files that are read while they are sent.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::HeaderValue;

use crate::body::{Body, BodyStream};
use crate::{Error, Random};

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// A form of named parts, sent in the order in which they were added.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), nuncio_client::Error> {
/// use nuncio_client::Random;
/// use nuncio_client::body::multipart::{Form, Part};
///
/// let form = Form::new()
///     .text("purpose", "dispute_evidence")
///     .part("file", Part::bytes("a,b\n1,2\n").file_name("report.csv"));
/// let encoded = form.encode(&Random::new());
/// assert!(encoded.content_type.to_str().unwrap().starts_with("multipart/form-data; boundary="));
/// assert_eq!(encoded.length, Some(encoded.body.collect(1024).await?.len() as u64));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, Part)>);

/// What stands under one name of a [`Form`].
#[derive(Clone)]
pub struct Part {
    content: Content,
    file_name: Option<String>,
    content_type: Option<HeaderValue>,
}

#[derive(Clone)]
enum Content {
    Bytes(Bytes),
    Stream { length: Option<u64>, open: Arc<dyn Fn() -> BodyStream + Send + Sync> },
}

/// A form ready to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Encoded {
    /// Goes into `Content-Type`: it names the boundary that `body` uses.
    pub content_type: HeaderValue,
    /// Goes into `Content-Length`; unknown when a part's length is.
    pub length: Option<u64>,
    /// Held in memory when all parts are, otherwise made anew for each attempt. It can always be sent again.
    pub body: Body,
}

impl Form {
    /// A form without parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part that is text, without a content type: servers take it as UTF-8.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, Part::bytes(value.into()))
    }

    /// Adds a part. A name may occur several times.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.0.push((name.into(), part));
        self
    }

    /// Writes the form around a boundary of 122 random bits, which no part contains but by a chance of 2⁻¹²².
    #[must_use]
    pub fn encode(self, random: &Random) -> Encoded {
        let boundary = format!("nuncio-{}", random.uuid());
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .expect("a boundary of letters, digits and hyphens is a header value");
        let pieces = pieces(self.0, &boundary);
        let length = pieces.iter().map(Content::length).sum();
        Encoded { content_type, length, body: join(pieces) }
    }
}

impl Part {
    /// Content held in memory.
    #[must_use]
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self::new(Content::Bytes(content.into()))
    }

    /// Content that `open` makes anew for each attempt, from a file for example.
    ///
    /// With `length`, in bytes, the whole form can announce its own. A stream that then yields more or less fails the attempt: the server
    /// would wait for bytes that never come, or take the surplus for another request.
    #[must_use]
    pub fn stream<S>(length: Option<u64>, open: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
    {
        let open: Arc<dyn Fn() -> BodyStream + Send + Sync> = match length {
            Some(length) => Arc::new(move || Box::pin(exactly(length, Box::pin(open())))),
            None => Arc::new(move || Box::pin(open())),
        };
        Self::new(Content::Stream { length, open })
    }

    /// Makes it a file of that name, of type `application/octet-stream` unless [`content_type`](Self::content_type) says otherwise.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self.content_type.get_or_insert(OCTET_STREAM);
        self
    }

    /// Says of what media type the content is.
    #[must_use]
    pub fn content_type(mut self, media_type: HeaderValue) -> Self {
        self.content_type = Some(media_type);
        self
    }

    fn new(content: Content) -> Self {
        Self { content, file_name: None, content_type: None }
    }

    fn head(&self, name: &str, boundary: &str) -> Bytes {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escape(name));
        if let Some(file_name) = &self.file_name {
            let _ = write!(head, "; filename=\"{}\"", escape(file_name));
        }
        let mut head = head.into_bytes();
        if let Some(media_type) = &self.content_type {
            head.extend_from_slice(b"\r\nContent-Type: ");
            head.extend_from_slice(media_type.as_bytes());
        }
        head.extend_from_slice(b"\r\n\r\n");
        head.into()
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part")
            .field("file_name", &self.file_name)
            .field("content_type", &self.content_type)
            .field("length", &self.content.length())
            .finish()
    }
}

impl Content {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream { length, .. } => *length,
        }
    }

    fn open(&self) -> BodyStream {
        match self {
            Self::Bytes(bytes) => Body::from(bytes.clone()).into_stream(),
            Self::Stream { open, .. } => open(),
        }
    }
}

/// The escapes of the WHATWG's multipart/form-data encoding algorithm and no others; RFC 7578, section 4.2 rules out `filename*`.
fn escape(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

fn pieces(parts: Vec<(String, Part)>, boundary: &str) -> Vec<Content> {
    let mut pieces = Vec::with_capacity(3 * parts.len() + 1);
    for (name, part) in parts {
        pieces.push(Content::Bytes(part.head(&name, boundary)));
        pieces.push(part.content);
        pieces.push(Content::Bytes(Bytes::from_static(b"\r\n")));
    }
    pieces.push(Content::Bytes(format!("--{boundary}--\r\n").into()));
    pieces
}

/// One body in memory where nothing streams, so that it can be signed and shown.
fn join(pieces: Vec<Content>) -> Body {
    let mut whole = Vec::new();
    for piece in &pieces {
        match piece {
            Content::Bytes(bytes) => whole.extend_from_slice(bytes),
            Content::Stream { .. } => {
                let pieces: Arc<[Content]> = pieces.into();
                return Body::replay(move || each(Arc::clone(&pieces)));
            }
        }
    }
    whole.into()
}

/// Opens each piece only when the one before it has been sent.
fn each(pieces: Arc<[Content]>) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::iter(0..pieces.len()).flat_map(move |index| pieces[index].open())
}

fn exactly(length: u64, content: BodyStream) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::try_unfold((content, length), move |(mut content, left)| async move {
        match content.try_next().await? {
            Some(piece) => match left.checked_sub(piece.len() as u64) {
                Some(left) => Ok(Some((piece, (content, left)))),
                None => Err(changed(length, "more")),
            },
            None if left > 0 => Err(changed(length, "fewer")),
            None => Ok(None),
        }
    })
}

fn changed(length: u64, how: &str) -> Error {
    Error::configuration(format!("a part of the form has {how} bytes than the {length} that were announced"))
        .advise("was the file changed while it was being sent? try again")
        .evidence_is(crate::Evidence::Unknown)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::Kind;

    fn encode(form: Form) -> (String, Encoded) {
        let encoded = form.encode(&Random::seeded(7));
        let content_type = encoded.content_type.to_str().unwrap();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        (boundary.to_owned(), encoded)
    }

    async fn text(body: Body) -> String {
        String::from_utf8(body.collect(1 << 20).await.unwrap().into()).unwrap()
    }

    fn file(content: &'static [&'static str], length: Option<u64>) -> Part {
        Part::stream(length, move || stream::iter(content.iter().map(|piece| Ok(Bytes::from(*piece)))))
            .file_name("f")
    }

    #[tokio::test]
    async fn parts_are_written_as_rfc_7578_says() {
        let png = HeaderValue::from_static("image/png");
        let (boundary, encoded) = encode(
            Form::new()
                .text("note", "Zoë")
                .part("image", Part::bytes("\u{1}\u{2}").file_name("a.png").content_type(png))
                .part("meta", Part::bytes("{}").content_type(HeaderValue::from_static("application/json"))),
        );
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nZoë\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
             Content-Type: image/png\r\n\r\n\u{1}\u{2}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\n\
             Content-Type: application/json\r\n\r\n{{}}\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(encoded.length, Some(expected.len() as u64));
        assert_eq!(text(encoded.body).await, expected);
    }

    #[test]
    fn a_form_in_memory_can_be_read_before_it_is_sent() {
        assert!(encode(Form::new().text("a", "b")).1.body.as_bytes().is_some());
        assert!(encode(Form::new()).1.body.as_bytes().is_some_and(|body| body.ends_with(b"--\r\n")));
    }

    #[tokio::test]
    async fn a_name_cannot_break_out_of_its_quotes() {
        let part = Part::bytes("").file_name("a\"; x=\"\r\nEvil: 1\\");
        let written = text(encode(Form::new().part("n\"\n", part)).1.body).await;
        assert!(
            written.contains("name=\"n%22%0A\"; filename=\"a%22; x=%22%0D%0AEvil: 1\\\"\r\n"),
            "{written}"
        );
    }

    #[tokio::test]
    async fn a_file_without_a_type_is_bytes() {
        let written = text(encode(Form::new().part("f", Part::bytes("x").file_name("x"))).1.body).await;
        assert!(written.contains("\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n"), "{written}");
    }

    #[tokio::test]
    async fn a_streamed_part_is_opened_anew_for_each_attempt() {
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&opened);
        let part = Part::stream(None, move || {
            counter.fetch_add(1, Ordering::Relaxed);
            stream::iter([Ok(Bytes::from_static(b"content"))])
        });
        let body = encode(Form::new().part("f", part)).1.body;
        let again = body.try_clone().unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 0, "nothing is opened before it is sent");
        assert_eq!(text(body).await, text(again).await);
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn the_length_is_known_when_every_part_is() {
        let known = encode(Form::new().text("a", "b").part("f", file(&["ab", "c"], Some(3)))).1;
        assert_eq!(known.length, Some(text(known.body).await.len() as u64));
        assert_eq!(encode(Form::new().part("f", file(&["abc"], None))).1.length, None);
    }

    #[tokio::test]
    async fn a_part_that_is_not_as_long_as_announced_fails() {
        for (announced, how) in [(2, "more"), (4, "fewer")] {
            let body = encode(Form::new().part("f", file(&["ab", "c"], Some(announced)))).1.body;
            let error = body.collect(1 << 20).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Configuration);
            assert_eq!(
                error.to_string(),
                format!("a part of the form has {how} bytes than the {announced} that were announced")
            );
        }
    }

    #[tokio::test]
    async fn an_error_of_a_part_is_passed_on() {
        let part = Part::stream(None, || stream::iter([Err(Error::configuration("cannot read f"))]));
        let pieces: Vec<_> = encode(Form::new().part("f", part)).1.body.into_stream().collect().await;
        assert!(pieces.iter().any(Result::is_err));
    }

    proptest! {
        #[test]
        fn the_announced_length_is_the_length_sent(
            parts in prop::collection::vec((".*", ".*", prop::option::of(".*"), any::<bool>()), 0..6)
        ) {
            let form = parts.into_iter().fold(Form::new(), |form, (name, value, file_name, streamed)| {
                let part = if streamed {
                    let bytes = Bytes::from(value);
                    let length = bytes.len() as u64;
                    Part::stream(Some(length), move || stream::iter([Ok(bytes.clone())]))
                } else {
                    Part::bytes(value)
                };
                form.part(name, file_name.into_iter().fold(part, Part::file_name))
            });
            let encoded = form.encode(&Random::seeded(7));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let sent = runtime.block_on(encoded.body.collect(usize::MAX)).unwrap();
            prop_assert_eq!(encoded.length, Some(sent.len() as u64));
        }
    }
}
