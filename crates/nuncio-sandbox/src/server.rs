//! Connections, and requests and answers as bytes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::{Answer, Outcome};
use crate::counts::Counts;
use crate::play::Play;
use crate::wire::Received;

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 1024 * 1024;
const COUNTS_PATH: &str = "/_sandbox/counts";

type Answered = Response<BoxBody<Bytes, io::Error>>;

/// The services by name.
pub(crate) struct Server(pub(crate) BTreeMap<String, Play>);

impl Server {
    pub(crate) fn counts(&self) -> Counts {
        Counts(self.0.iter().map(|(name, play)| (name.clone(), play.counts())).collect())
    }

    /// Serves every connection to `listener`, until dropped.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) -> Infallible {
        let mut connections = JoinSet::new();
        loop {
            // An error is one of the connection that did not come about.
            if let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&self).serve(stream));
            }
            while connections.try_join_next().is_some() {}
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| self.answer(request));
        // It ends in an error whenever a fault or the client breaks it off.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> io::Result<Answered> {
        if request.uri().path() == COUNTS_PATH {
            return Ok(whole(Answer::json(200, json!(self.counts()))));
        }
        let full_path = request.uri().path().to_owned();
        let Some((play, path)) = self.find(&full_path) else {
            let message = format!("no service is played at {full_path:?}, only {}", self.names());
            return Ok(whole(Answer::json(404, json!({ "message": message }))));
        };
        let path = path.to_owned();
        let query = request.uri().query().map(str::to_owned);
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
            let message = format!("the body is over {MAX_BODY_BYTES} bytes");
            let answer = Answer::json(StatusCode::PAYLOAD_TOO_LARGE.as_u16(), json!({ "message": message }));
            return Ok(whole(answer.with_header("Connection", "close")));
        };
        let (method, headers, body) = (parts.method, parts.headers, body.to_bytes());
        match play.play(Received { method, path, full_path, query, headers, body }).await {
            Outcome::Answered(answer) => Ok(whole(answer)),
            Outcome::Truncated(answer) => Ok(truncated(answer)),
            // Without an answer, hyper closes the connection.
            Outcome::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    /// The service of a path, and the path within it. A service that is alone is at the root as well, since some clients take no
    /// more than a host and a port.
    fn find<'a>(&self, full_path: &'a str) -> Option<(&Play, &'a str)> {
        let rest = full_path.strip_prefix('/')?;
        let name = rest.split('/').next().unwrap_or_default();
        if let Some(play) = self.0.get(name) {
            return Some((play, &rest[name.len()..]));
        }
        let mut plays = self.0.values();
        plays.next().filter(|_| plays.next().is_none()).map(|play| (play, full_path))
    }

    fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn whole(answer: Answer) -> Answered {
    answer.into_http().map(|bytes| Full::from(bytes).map_err(|never| match never {}).boxed())
}

/// The head and the first half of the body.
fn truncated(answer: Answer) -> Answered {
    let (mut parts, bytes) = answer.into_http().into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let frames = stream::unfold(Some(half), |half| async {
        match half {
            Some(half) => Some((Ok(Frame::data(half)), None)),
            None => {
                // Gives hyper the chance to send the first half.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
            }
        }
    });
    Response::from_parts(parts, StreamBody::new(frames).boxed())
}
