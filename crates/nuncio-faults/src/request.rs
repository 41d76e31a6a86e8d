//! Reading a request off a connection, no further than it goes.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Bytes of a connection, and those read too far.
pub(crate) struct Incoming {
    read: Vec<u8>,
}

impl Incoming {
    pub(crate) fn new() -> Self {
        Self { read: Vec::new() }
    }

    /// Waits for the first byte. Not when the client has closed.
    pub(crate) async fn begin(&mut self, client: &mut TcpStream) -> io::Result<bool> {
        Ok(!self.read.is_empty() || self.more(client).await?)
    }

    /// Reads `bytes`, or less where the request ends before.
    pub(crate) async fn part(&mut self, client: &mut TcpStream, bytes: usize) -> io::Result<()> {
        while self.read.len() < bytes && length(&self.read).is_none_or(|length| self.read.len() < length) {
            if !self.more(client).await? {
                break;
            }
        }
        Ok(())
    }

    /// Reads a whole request. Nothing when the client closes before its end.
    pub(crate) async fn whole(&mut self, client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(length) = length(&self.read).filter(|length| self.read.len() >= *length) {
                let rest = self.read.split_off(length);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            if !self.more(client).await? {
                return Ok(None);
            }
        }
    }

    async fn more(&mut self, client: &mut TcpStream) -> io::Result<bool> {
        Ok(client.read_buf(&mut self.read).await? > 0)
    }
}

/// How long the request is that `bytes` begin with; nothing before its head has come. A body in chunks ends with an empty one.
fn length(bytes: &[u8]) -> Option<usize> {
    let find = |what: &[u8], from: usize| {
        bytes[from..].windows(what.len()).position(|part| part == what).map(|at| from + at + what.len())
    };
    let head_end = find(b"\r\n\r\n", 0)?;
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let value = |name: &str| {
        let line = head.split("\r\n").find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(':')?.trim().to_owned())
    };
    if value("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        return find(b"0\r\n\r\n", head_end).or(Some(usize::MAX));
    }
    Some(head_end + value("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_request_ends_where_its_head_says() {
        assert_eq!(length(b"GET / HTTP/1.1\r\nhost: a\r\n"), None);
        assert_eq!(length(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET"), Some(27));
        assert_eq!(length(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), Some(43));
        let chunked = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n";
        assert_eq!(length(chunked), Some(usize::MAX));
        assert_eq!(length(&[&chunked[..], b"0\r\n\r\nGET"].concat()), Some(chunked.len() + 5));
    }
}
