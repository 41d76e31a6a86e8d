//! Newline-delimited JSON: one value a line, read as it comes in.

use bytes::{Buf as _, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::value::RawValue;

use crate::body::BodyStream;
use crate::{Error, Kind, excerpt};

/// The media type that most servers give it; `application/jsonl` and `application/x-jsonlines` are also seen.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// Default bound on one line: 16 MiB.
pub const DEFAULT_MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The values of `body`, one a line, as they are written there: numbers keep every digit.
///
/// Lines end with LF or CRLF, the last one also with the body. Blank lines and a byte order mark are skipped. Memory depends on the longest
/// line only. Dropping the stream drops the body.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), nuncio_client::Error> {
/// use futures_util::TryStreamExt as _;
/// use nuncio_client::body::{Body, ndjson};
///
/// let body = Body::from("{\"id\":1}\n\n{\"id\":2.50}".to_owned()).into_stream();
/// let values: Vec<_> = ndjson::values(body, ndjson::DEFAULT_MAX_LINE_BYTES).try_collect().await?;
/// assert_eq!(values[1].get(), "{\"id\":2.50}");
/// # Ok(()) }
/// ```
///
/// # Errors
/// The stream ends after its first error, which names the line: [`Kind::Decode`] for a line that is no JSON, [`Kind::TooLarge`] for one
/// longer than `max_line_bytes`, and whatever the body fails with.
pub fn values(
    body: BodyStream,
    max_line_bytes: usize,
) -> impl Stream<Item = Result<Box<RawValue>, Error>> + Send {
    let lines = Lines { body, max_line_bytes, buffer: BytesMut::new(), searched: 0, number: 0, ended: false };
    stream::try_unfold(lines, |mut lines| async move {
        while let Some(line) = lines.next().await? {
            let line = line.trim_ascii();
            if !line.is_empty() {
                let value = parse(line, lines.number)?;
                return Ok(Some((value, lines)));
            }
        }
        Ok(None)
    })
}

fn parse(line: &[u8], number: u64) -> Result<Box<RawValue>, Error> {
    serde_json::from_slice(line).map_err(|e| {
        Error::new(Kind::Decode, format!("line {number} is not JSON: {}", excerpt(line))).because(e)
    })
}

struct Lines {
    body: BodyStream,
    max_line_bytes: usize,
    buffer: BytesMut,
    /// So many bytes of the buffer hold no line end, so that a long line is searched once.
    searched: usize,
    /// Of the line last taken, from 1.
    number: u64,
    ended: bool,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<BytesMut>, Error> {
        loop {
            if let Some(length) = self.find_end() {
                let line = self.take(length)?;
                self.buffer.advance(1);
                return Ok(Some(line));
            }
            if self.ended {
                let rest = self.buffer.len();
                return if rest == 0 { Ok(None) } else { self.take(rest).map(Some) };
            }
            self.check_length(self.buffer.len())?;
            match self.body.next().await {
                Some(piece) => self.buffer.extend_from_slice(&piece?),
                None => self.ended = true,
            }
        }
    }

    fn find_end(&mut self) -> Option<usize> {
        let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let end = found.map(|at| self.searched + at);
        self.searched = if end.is_some() { 0 } else { self.buffer.len() };
        end
    }

    fn take(&mut self, length: usize) -> Result<BytesMut, Error> {
        self.check_length(length)?;
        self.number += 1;
        self.searched = 0;
        let mut line = self.buffer.split_to(length);
        if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        Ok(line)
    }

    fn check_length(&self, length: usize) -> Result<(), Error> {
        if length <= self.max_line_bytes {
            return Ok(());
        }
        let (number, bound) = (self.number + 1, self.max_line_bytes);
        Err(Error::new(Kind::TooLarge, format!("line {number} is longer than {bound} bytes"))
            .advise("raise the bound on the length of a line; is the answer really one JSON value a line?"))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;
    use crate::Body;

    fn body(pieces: Vec<Bytes>) -> BodyStream {
        Body::once(stream::iter(pieces.into_iter().map(Ok))).into_stream()
    }

    async fn read(text: &str) -> Result<Vec<String>, Error> {
        values(body(vec![Bytes::copy_from_slice(text.as_bytes())]), 64)
            .map_ok(|value| value.get().to_owned())
            .try_collect()
            .await
    }

    #[tokio::test]
    async fn lines_end_with_lf_crlf_or_the_body() {
        assert_eq!(read("1\n{\"a\": 2}\r\n\"x\"").await.unwrap(), ["1", "{\"a\": 2}", "\"x\""]);
    }

    #[tokio::test]
    async fn blank_lines_and_the_byte_order_mark_are_skipped() {
        assert_eq!(read("\u{feff}1\n\n \t\r\n2\n\n").await.unwrap(), ["1", "2"]);
        assert_eq!(read("").await.unwrap(), Vec::<String>::new());
        assert_eq!(read("\u{feff}").await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn numbers_keep_every_digit() {
        let digits = "1234567890.12345678901230";
        assert_eq!(read(digits).await.unwrap(), [digits]);
    }

    #[tokio::test]
    async fn a_line_that_is_no_json_is_named() {
        let error = read("1\n\n<html>\n2").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Decode);
        assert_eq!(error.to_string(), "line 3 is not JSON: <html>");
        assert!(read("{\"a\":1} {\"a\":2}").await.is_err(), "two values on a line");
        assert!(read("{\"a\":").await.is_err(), "a body cut off within a line");
    }

    #[tokio::test]
    async fn the_stream_gives_what_came_before_an_error_and_then_ends() {
        let pieces: Vec<_> =
            values(body(vec![Bytes::from_static(b"1\n2\nx\n3\n")]), 64).map(|it| it.is_ok()).collect().await;
        assert_eq!(pieces, [true, true, false]);
    }

    #[tokio::test]
    async fn a_line_may_be_as_long_as_the_bound_and_no_longer() {
        let line = "1".repeat(64);
        assert_eq!(read(&format!("{line}\n")).await.unwrap(), [line.as_str()]);
        for text in [format!("[]\n{line}1\n"), format!("[]\n{line}1")] {
            let error = read(&text).await.unwrap_err();
            assert_eq!(error.kind(), Kind::TooLarge);
            assert_eq!(error.to_string(), "line 2 is longer than 64 bytes");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up_at_the_bound() {
        let endless = Body::once(stream::repeat_with(|| Ok(Bytes::from_static(b"1111")))).into_stream();
        let error = values(endless, 64).try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
    }

    #[tokio::test]
    async fn an_error_of_the_body_is_passed_on() {
        let broken = stream::iter([Ok(Bytes::from_static(b"1\n2")), Err(Error::new(Kind::Connect, "reset"))]);
        let items: Vec<_> =
            values(Body::once(broken).into_stream(), 64).map_err(|e| e.kind()).collect().await;
        assert_eq!(items.last().unwrap().as_ref().unwrap_err(), &Kind::Connect);
        assert_eq!(items.len(), 2, "the line that broke off is no value");
    }

    proptest! {
        #[test]
        fn the_cuts_between_pieces_do_not_matter(
            values_in in prop::collection::vec("[1-9][0-9]{0,8}|\"[a-z é]{0,9}\"|\\{\\}", 0..20),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\n\n"]), 20),
            cuts in prop::collection::vec(1..8usize, 1..60),
        ) {
            let text: String = values_in.iter().zip(&ends).map(|(value, end)| format!("{value}{end}")).collect();
            let mut rest = Bytes::from(text);
            let mut pieces = Vec::new();
            for cut in cuts {
                let piece = rest.split_to(cut.min(rest.len()));
                pieces.push(piece);
            }
            pieces.push(rest);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = values(body(pieces), 64).map_ok(|value| value.get().to_owned());
            prop_assert_eq!(runtime.block_on(read.try_collect::<Vec<_>>()).unwrap(), values_in);
        }
    }
}
