//! Compression of answers, undone.
//!
//! It is undone as it is asked for, so that memory depends on neither what comes in nor what would come out. A body that breaks off within
//! its compression, or has more behind its end, is an error, and never taken for whole.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyDataStream, BodyExt as _};
use hyper::body::Incoming;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;

use crate::{Error, Kind};

use super::failure;

const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// How much is inflated at a time.
const PIECE_BYTES: usize = 32 * 1024;

/// Says what can be undone, unless the request says something itself. A part of a compressed answer is worth nothing.
pub(super) fn accept(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCEPT_ENCODING) && !headers.contains_key(header::RANGE) {
        headers.insert(header::ACCEPT_ENCODING, ACCEPTED);
    }
}

/// The body of an answer, not compressed any more.
pub(super) enum Arriving {
    AsItCame(Incoming),
    Undone(BoxStream<'static, Result<Bytes, Error>>),
}

impl Arriving {
    /// Its next piece; nothing at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let body = match self {
            Self::AsItCame(body) => body,
            Self::Undone(pieces) => return pieces.try_next().await,
        };
        while let Some(frame) = body.frame().await {
            // Trailers are passed over.
            if let Ok(piece) = frame.map_err(failure::of_body)?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

/// What `body` is without its compression. The headers that told of the compression go.
pub(super) fn undo(headers: &mut HeaderMap, body: Incoming) -> Arriving {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let Some(encoding) = encoding.and_then(Encoding::named) else { return Arriving::AsItCame(body) };
    let pieces = BodyDataStream::new(body).map_err(failure::of_body);
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    let compressed = StreamReader::new(pieces.map(|piece| piece.map_err(io::Error::other)));
    let begin = begin(encoding, Box::pin(compressed));
    let rest =
        |decoder| stream::try_unfold(decoder, |decoder| async { inflate(decoder).await.map_err(error) });
    Arriving::Undone(begin.map_ok(rest).try_flatten_stream().boxed())
}

#[derive(Clone, Copy)]
enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    /// Nothing for what cannot be undone: the body stays as it is then.
    fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

type Compressed = Pin<Box<dyn AsyncBufRead + Send>>;

enum Decoder {
    Gzip(GzipDecoder<Compressed>),
    Brotli(BrotliDecoder<Compressed>),
    Zstd(ZstdDecoder<Compressed>),
    /// There is nothing to be undone.
    Empty(Compressed),
}

impl Decoder {
    fn new(encoding: Encoding, compressed: Compressed) -> Self {
        match encoding {
            Encoding::Gzip => {
                let mut decoder = GzipDecoder::new(compressed);
                decoder.multiple_members(true);
                Self::Gzip(decoder)
            }
            Encoding::Brotli => Self::Brotli(BrotliDecoder::new(compressed)),
            Encoding::Zstd => {
                let mut decoder = ZstdDecoder::new(compressed);
                decoder.multiple_members(true);
                Self::Zstd(decoder)
            }
        }
    }

    fn plain(&mut self) -> &mut (dyn AsyncRead + Send + Unpin) {
        match self {
            Self::Gzip(decoder) => decoder,
            Self::Brotli(decoder) => decoder,
            Self::Zstd(decoder) => decoder,
            Self::Empty(nothing) => nothing,
        }
    }

    fn compressed(&mut self) -> &mut Compressed {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
            Self::Empty(nothing) => nothing,
        }
    }
}

/// An answer without a body, to a HEAD for example, may be said to be compressed all the same.
async fn begin(encoding: Encoding, mut compressed: Compressed) -> Result<Decoder, Error> {
    let is_empty = compressed.fill_buf().await.map_err(error)?.is_empty();
    Ok(if is_empty { Decoder::Empty(compressed) } else { Decoder::new(encoding, compressed) })
}

async fn inflate(mut decoder: Decoder) -> io::Result<Option<(Bytes, Decoder)>> {
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    if decoder.plain().read_buf(&mut piece).await? > 0 {
        return Ok(Some((piece.freeze(), decoder)));
    }
    if decoder.compressed().fill_buf().await?.is_empty() {
        return Ok(None);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "more bytes stand behind its end"))
}

/// What the connection failed with, or that what came through it is wrong.
fn error(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(error) => Error::new(Kind::Decode, "the body cannot be decompressed").because(error),
    }
}
