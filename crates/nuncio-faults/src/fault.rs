//! What can go wrong, as data.

use bytes::Bytes;

use crate::encoding::Encoding;

/// What happens to one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The exchange ends where it should not.
    Cut {
        /// Where.
        at: At,
        /// How.
        end: End,
    },
    /// The server says this as soon as the client says anything, whatever it said, and ends: no HTTP, no TLS, or half of it.
    Blurt {
        /// What it says.
        says: Bytes,
        /// How it ends.
        end: End,
    },
    /// The answer is right, and the connection is closed behind it without a word: the next request on it races with that.
    CloseBehind,
    /// The answer comes a few bytes at a time.
    Drip,
    /// A byte of the answer is another: 0xFF, which stands in no JSON and no number.
    Corrupt {
        /// Which one; counted anew from the start when the answer is shorter.
        at: usize,
    },
    /// Bytes that are no HTTP take the place of the answer.
    Garbage {
        /// Decides which.
        seed: u64,
    },
    /// Headers without end.
    EndlessHeaders,
    /// Interim answers (100, 103) without end.
    EndlessInterim,
    /// So many interim answers come before the answer.
    Interim(usize),
    /// The body has no end; it is white space behind the true one.
    EndlessBody {
        /// In chunks, and not up to the end of the connection.
        chunked: bool,
    },
    /// `Content-Length` is less than the body has: the rest stands where the next answer is expected.
    ShortLength,
    /// `Content-Length` is more than the body has, and the connection ends.
    LongLength,
    /// `Content-Length` is there twice and contradicts itself.
    TwoLengths,
    /// `Content-Length` and `Transfer-Encoding` are both there.
    LengthAndChunks,
    /// A chunk's size is no number.
    BadChunk,
    /// The body ends with its last chunk missing.
    MissingChunk,
    /// The body is compressed, as it should be.
    Compressed(Encoding),
    /// The body is compressed in two parts, one behind the other, which gzip and zstd allow.
    TwoParts(Encoding),
    /// The compressed body breaks off, and the connection does not: its framing is that of the part.
    HalfCompressed(Encoding),
    /// The body is said to be compressed and is not.
    FalselyCompressed(Encoding),
    /// A few hundred compressed bytes are a MiB of blanks, again and again without end.
    Bomb(Encoding),
    /// A JSON body of this many arrays, one within the other.
    DeepJson(usize),
}

/// A place in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// When the connection is there, before anything is said.
    Connect,
    /// After so many bytes of the request. The origin sees nothing of it.
    Request(usize),
    /// After so many bytes of the answer. The origin has acted.
    Answer(usize),
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is closed in order (FIN).
    Close,
    /// It is thrown away (RST).
    Reset,
    /// Nothing comes any more, and it stays open.
    Stall,
    /// The server closes its half, and reads and acts on the request all the same.
    HalfClose,
}

impl Fault {
    /// A short name of its kind, for tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cut { at: At::Connect, end: End::Close } => "accept and close",
            Self::Cut { at: At::Connect, end: End::Reset } => "accept and reset",
            Self::Cut { at: At::Connect, .. } => "accept and stall",
            Self::Cut { at: At::Request(_), end: End::Close } => "request: close",
            Self::Cut { at: At::Request(_), end: End::Reset } => "request: reset",
            Self::Cut { at: At::Request(_), end: End::Stall } => "request: stall",
            Self::Cut { at: At::Request(_), end: End::HalfClose } => "request: half-close",
            Self::Cut { at: At::Answer(_), end: End::Reset } => "answer: reset",
            Self::Cut { at: At::Answer(_), end: End::Stall } => "answer: stall",
            Self::Cut { at: At::Answer(_), .. } => "answer: truncated",
            Self::Blurt { .. } => "blurted bytes",
            Self::CloseBehind => "close behind answer",
            Self::Drip => "drip",
            Self::Corrupt { .. } => "corrupt byte",
            Self::Garbage { .. } => "garbage",
            Self::EndlessHeaders => "endless headers",
            Self::EndlessInterim => "endless 1xx",
            Self::Interim(_) => "1xx first",
            Self::EndlessBody { chunked: true } => "endless chunks",
            Self::EndlessBody { chunked: false } => "endless body",
            Self::ShortLength => "length too short",
            Self::LongLength => "length too long",
            Self::TwoLengths => "two lengths",
            Self::LengthAndChunks => "length and chunks",
            Self::BadChunk => "bad chunk size",
            Self::MissingChunk => "missing last chunk",
            Self::Compressed(Encoding::Gzip) => "gzip",
            Self::Compressed(Encoding::Brotli) => "br",
            Self::Compressed(Encoding::Zstd) => "zstd",
            Self::TwoParts(_) => "compressed in parts",
            Self::HalfCompressed(_) => "half compressed",
            Self::FalselyCompressed(_) => "falsely compressed",
            Self::Bomb(Encoding::Gzip) => "gzip bomb",
            Self::Bomb(Encoding::Brotli) => "br bomb",
            Self::Bomb(Encoding::Zstd) => "zstd bomb",
            Self::DeepJson(_) => "deep JSON",
        }
    }
}
