//! Whether the time that a verification takes tells where a forged signature differs from the good one: two kinds of forgeries, in random turns, and
//! Welch's t of their times, as in "Dude, is my code constant time?" (Reparaz, Balasch and Verbauwhede, 2017). Below 4.5 nothing is seen.

use std::hint::black_box;
use std::time::UNIX_EPOCH;

use nuncio_bench::table;
use nuncio_webhook::{Outgoing, Request, Secrets, provider, sign, verify};
use tokio::time::Instant;

const SAMPLES: usize = 400_000;
const BODY: &[u8] = b"{}";

fn main() {
    println!("{SAMPLES} forgeries; times above the 90th percentile are the machine's and left out\n");
    let secrets = Secrets::new().with("current", "made-up-secret");
    let github = &provider("github").expect("it comes along").scheme;
    let outgoing =
        Outgoing { id: "", signed_at: UNIX_EPOCH, method: "POST", url: "", body: BODY, content_type: None };
    let made = sign(github, &outgoing, &secrets).expect("HMACs are made");
    let good = made.iter().find_map(|(_, value)| value.strip_prefix("sha256=")).expect("a prefix").to_owned();
    let forged = |at: usize| {
        let mut text = good.clone().into_bytes();
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        String::from_utf8(text).expect("hex")
    };
    let (first, last) = (forged(0), forged(good.len() - 1));

    let headers = |signature: &str| vec![("X-Hub-Signature-256", format!("sha256={signature}"))];
    let kinds = [headers(&first), headers(&last)];
    let nuncio = timings(|kind| {
        let request = Request { method: "POST", url: "", headers: &kinds[kind], body: BODY };
        verify(github, &request, &secrets, UNIX_EPOCH).is_ok()
    });
    // What it would look like: the same kinds, compared by a loop that ends at the first difference.
    let kinds = [first, last];
    let naive = timings(|kind| {
        let pairs = kinds[kind].bytes().zip(good.bytes());
        let mut same = true;
        for (one, other) in pairs {
            same = black_box(one == other);
            if !same {
                break;
            }
        }
        same
    });
    let rows =
        [row("nuncio-webhook, verify", &nuncio), row("a loop that ends at the first difference", &naive)];
    table::print(&["", "first digit wrong, ns", "last digit wrong, ns", "t"], &rows);
}

/// Nanoseconds of each kind.
fn timings(mut work: impl FnMut(usize) -> bool) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    // xorshift: which kind comes next must not follow anything that the machine does.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..SAMPLES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let kind = usize::from(state & 1 == 1);
        let start = Instant::now();
        let accepted = black_box(work(black_box(kind)));
        times[kind].push(start.elapsed().as_nanos() as f64);
        assert!(!accepted);
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let bound = all[all.len() / 10 * 9];
    times.map(|times| times.into_iter().filter(|time| *time <= bound).collect())
}

fn row(name: &str, times: &[Vec<f64>; 2]) -> Vec<String> {
    let [(first, first_error), (last, last_error)] = times.each_ref().map(|times| mean(times));
    let t = (first - last) / (first_error + last_error).sqrt();
    vec![name.to_owned(), format!("{first:.2}"), format!("{last:.2}"), format!("{t:.1}")]
}

/// The mean, and the variance of the mean.
fn mean(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}
