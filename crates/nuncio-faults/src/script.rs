//! What a fault makes of an answer: a script, and playing it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer::{Answer, chunk};
use crate::fault::{At, End, Fault};

/// Pieces of a drip, and the pause before each.
const DRIPS: usize = 12;
const DRIP_PAUSE: Duration = Duration::from_millis(2);

/// Between one turn of what goes on for ever and the next.
const FOREVER_PAUSE: Duration = Duration::from_millis(1);

/// A client that never goes away is left after that.
const PATIENCE: Duration = Duration::from_secs(60);

/// One thing the server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Again and again, until the client goes away.
    Forever(Bytes),
    End(End),
}

fn send(bytes: impl Into<Bytes>) -> Step {
    Step::Send(bytes.into())
}

/// The answer told as it is, or as `fault` would have it.
pub(crate) fn script(mut answer: Answer, fault: Option<&Fault>) -> Vec<Step> {
    let Some(fault) = fault else { return vec![send(answer.bytes())] };
    match fault {
        Fault::Cut { at, end } => {
            let mut bytes = answer.bytes();
            if let At::Answer(at) = at {
                bytes.truncate(*at);
            }
            vec![send(bytes), Step::End(*end)]
        }
        Fault::Blurt { says, end } => vec![send(says.clone()), Step::End(*end)],
        Fault::CloseBehind => vec![send(answer.bytes()), Step::End(End::Close)],
        Fault::Drip => {
            let bytes = answer.bytes();
            let pieces = bytes.chunks(bytes.len().div_ceil(DRIPS));
            pieces.flat_map(|piece| [Step::Wait(DRIP_PAUSE), send(piece.to_vec())]).collect()
        }
        Fault::Corrupt { at } => {
            let mut bytes = answer.bytes();
            let at = at % bytes.len();
            bytes[at] = 0xFF;
            // What follows may be awaited in vain: a length that is none, a head that has no end.
            vec![send(bytes), Step::End(End::Close)]
        }
        Fault::Garbage { seed } => {
            let mut rng = fastrand::Rng::with_seed(*seed);
            let bytes: Vec<u8> = (0..rng.usize(1..2000)).map(|_| rng.u8(..)).collect();
            vec![send(bytes), Step::End(End::Close)]
        }
        Fault::EndlessHeaders => vec![
            send(answer.open_head()),
            Step::Forever(format!("x-endless: {}\r\n", "x".repeat(1000)).repeat(32).into()),
        ],
        Fault::EndlessInterim => vec![Step::Forever(interim(10))],
        Fault::Interim(count) => vec![send(interim(*count)), send(answer.bytes())],
        Fault::EndlessBody { chunked: false } => {
            answer.remove("content-length");
            answer.add("connection", "close");
            vec![send(answer.bytes()), Step::Forever(vec![b' '; 16 * 1024].into())]
        }
        Fault::EndlessBody { chunked: true } => {
            let first = chunk(&std::mem::take(&mut answer.body));
            endless_chunks(answer, first, &[b' '; 16 * 1024])
        }
        Fault::ShortLength => {
            answer.set("content-length", answer.body.len().saturating_sub(3));
            vec![send(answer.bytes())]
        }
        Fault::LongLength => {
            answer.set("content-length", answer.body.len() + 3);
            vec![send(answer.bytes()), Step::End(End::Close)]
        }
        Fault::TwoLengths => {
            answer.add("content-length", answer.body.len() + 1);
            vec![send(answer.bytes()), Step::End(End::Close)]
        }
        Fault::LengthAndChunks => {
            let length = answer.body.len();
            answer = answer.chunked();
            answer.add("content-length", length);
            vec![send(answer.bytes())]
        }
        Fault::BadChunk => {
            answer = answer.chunked();
            answer.body.splice(..0, *b"zz\r\n");
            vec![send(answer.bytes()), Step::End(End::Close)]
        }
        Fault::MissingChunk => {
            answer = answer.chunked();
            answer.body.truncate(answer.body.len() - b"0\r\n\r\n".len());
            vec![send(answer.bytes()), Step::End(End::Close)]
        }
        Fault::Compressed(encoding) => {
            let body = encoding.compress(&answer.body);
            vec![send(answer.encoded(encoding.name(), body).bytes())]
        }
        Fault::TwoParts(encoding) => {
            let (first, second) = answer.body.split_at(answer.body.len() / 2);
            let body = [encoding.compress(first), encoding.compress(second)].concat();
            vec![send(answer.encoded(encoding.name(), body).bytes())]
        }
        Fault::HalfCompressed(encoding) => {
            let mut body = encoding.compress(&answer.body);
            body.truncate(body.len() / 2);
            vec![send(answer.encoded(encoding.name(), body).bytes())]
        }
        Fault::FalselyCompressed(encoding) => {
            let body = std::mem::take(&mut answer.body);
            vec![send(answer.encoded(encoding.name(), body).bytes())]
        }
        Fault::Bomb(encoding) => {
            let (first, turn) = encoding.bomb();
            answer.set("content-encoding", encoding.name());
            let first = if first.is_empty() { Vec::new() } else { chunk(first) };
            endless_chunks(answer, first, turn)
        }
        Fault::DeepJson(depth) => {
            let body = [vec![b'['; *depth], vec![b']'; *depth]].concat();
            vec![send(answer.with_body(body).bytes())]
        }
    }
}

fn interim(count: usize) -> Bytes {
    let one = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x.css>; rel=preload\r\n\r\n";
    one.repeat(count.div_ceil(2)).into()
}

fn endless_chunks(mut answer: Answer, first: Vec<u8>, turn: &[u8]) -> Vec<Step> {
    answer.remove("content-length");
    answer.set("transfer-encoding", "chunked");
    vec![send(answer.head()), send(first), Step::Forever(chunk(turn).into())]
}

/// Does all of it, up to an end. Whether the connection can be used on.
pub(crate) async fn play(script: Vec<Step>, client: &mut TcpStream) -> io::Result<bool> {
    for step in script {
        match step {
            Step::Send(bytes) => client.write_all(&bytes).await?,
            Step::Wait(pause) => tokio::time::sleep(pause).await,
            Step::Forever(bytes) => loop {
                client.write_all(&bytes).await?;
                // Whoever reads it should be kept busy, and not the whole machine.
                tokio::time::sleep(FOREVER_PAUSE).await;
            },
            Step::End(end) => {
                finish(end, client).await?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

pub(crate) async fn finish(end: End, client: &mut TcpStream) -> io::Result<()> {
    match end {
        End::Reset => client.set_zero_linger(),
        End::Close | End::HalfClose => {
            client.shutdown().await?;
            // A socket that is closed with bytes unread is reset by the system.
            drain(client).await;
            Ok(())
        }
        End::Stall => {
            drain(client).await;
            Ok(())
        }
    }
}

/// Until the client closes too.
async fn drain(client: &mut TcpStream) {
    let mut unread = [0; 4096];
    let drained = async { while client.read(&mut unread).await.is_ok_and(|read| read > 0) {} };
    let _ = tokio::time::timeout(PATIENCE, drained).await;
}
