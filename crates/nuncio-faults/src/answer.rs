//! What the origin answered, taken apart so that it can be told wrongly.

use std::fmt::Display;

/// An answer. Its body stands as it came, since the origin closes its connection behind it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status_line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Nothing when `bytes` are no answer.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status_line = lines.next()?.to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let mut answer = Self { status_line, headers: headers.collect(), body: bytes[end + 4..].to_vec() };
        // The proxy asked the origin to close; the client need not know.
        answer.remove("connection");
        Some(answer)
    }

    pub(crate) fn json(body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status_line: "HTTP/1.1 200 OK".to_owned(), headers, body }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(other, _)| other != name);
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Display) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn add(&mut self, name: &str, value: impl Display) {
        self.headers.push((name.to_owned(), value.to_string()));
    }

    /// The body is this one, and its length as it should be.
    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.remove("transfer-encoding");
        self.set("content-length", body.len());
        self.body = body;
        self
    }

    pub(crate) fn encoded(mut self, encoding: &str, body: Vec<u8>) -> Self {
        self.set("content-encoding", encoding);
        self.with_body(body)
    }

    /// The head up to, and without, its last empty line.
    pub(crate) fn open_head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.status_line);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.into_bytes()
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = self.open_head();
        head.extend_from_slice(b"\r\n");
        head
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The same in chunks.
    pub(crate) fn chunked(mut self) -> Self {
        self.remove("content-length");
        self.set("transfer-encoding", "chunked");
        let pieces = self.body.chunks(self.body.len().div_ceil(3).max(1));
        self.body = pieces.flat_map(chunk).chain(*b"0\r\n\r\n").collect();
        self
    }
}

/// `piece` as a chunk.
pub(crate) fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
