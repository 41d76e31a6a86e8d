//! Bodies of requests and answers, and their encodings.

pub mod charset;
pub mod form;
mod media_type;
pub mod multipart;
pub mod ndjson;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use crate::{Error, Kind};

pub use media_type::MediaType;

/// Pieces of a body as they come.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// The body of a request or an answer.
#[derive(Default)]
pub enum Body {
    /// No body at all.
    #[default]
    Empty,
    /// Held in memory: can be sent again.
    Bytes(Bytes),
    /// Made anew for each attempt, from a file for example: can be sent again.
    Replay(Arc<dyn Fn() -> BodyStream + Send + Sync>),
    /// Can be read once. A request with it is sent once and never again.
    Once(BodyStream),
}

impl Body {
    /// A body that is made anew by `f` for each attempt.
    pub fn replay<S>(f: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
    {
        Self::Replay(Arc::new(move || Box::pin(f())))
    }

    /// A body that can be read once.
    pub fn once(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self::Once(Box::pin(stream))
    }

    /// A copy to send again, unless the body can be read only once.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Replay(make) => Some(Self::Replay(Arc::clone(make))),
            Self::Once(_) => None,
        }
    }

    /// The whole body, where it is held in memory.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Empty => Some(&[]),
            Self::Bytes(bytes) => Some(bytes),
            Self::Replay(_) | Self::Once(_) => None,
        }
    }

    /// The pieces, whatever the body is.
    #[must_use]
    pub fn into_stream(self) -> BodyStream {
        match self {
            Self::Empty => Box::pin(futures_util::stream::empty()),
            Self::Bytes(bytes) => Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes)))),
            Self::Replay(make) => make(),
            Self::Once(stream) => stream,
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// [`Kind::TooLarge`] as soon as more than `max_bytes` have come in; whatever the stream fails with.
    pub async fn collect(self, max_bytes: usize) -> Result<Bytes, Error> {
        let mut stream = match self {
            Self::Empty => return Ok(Bytes::new()),
            Self::Bytes(bytes) if bytes.len() <= max_bytes => return Ok(bytes),
            other => other.into_stream(),
        };
        let mut whole = Vec::new();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            if whole.len() + piece.len() > max_bytes {
                return Err(too_large(max_bytes));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }
}

pub(crate) fn too_large(max_bytes: usize) -> Error {
    Error::new(Kind::TooLarge, format!("the body is larger than {max_bytes} bytes"))
        .advise("ask for less at a time, such as smaller pages")
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Replay(_) => f.write_str("Replay"),
            Self::Once(_) => f.write_str("Once"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Bytes(bytes) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}
