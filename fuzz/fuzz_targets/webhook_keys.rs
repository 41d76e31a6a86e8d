//! Requests of those whose keys are published, and the documents with the keys: JSON Web Tokens, Amazon SNS, PayPal. Keys are asked for at the vendors'
//! own hosts alone, and what is taken is signed. The first line is the time; then comes the document up to a line `%%`, then the request.
#![no_main]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::first_line;
use nuncio_fuzz::webhook::Input;
use nuncio_webhook::{Keys, PublishedKey, Request, Secrets, explain, handshake, verify};

const HOSTS: [&str; 5] =
    [".paypal.com", ".amazonaws.com", ".amazonaws.com.cn", "www.googleapis.com", ".plaid.com"];

fuzz_target!(|data: &[u8]| {
    let (now, rest) = first_line(data);
    let now = std::str::from_utf8(now).ok().and_then(|text| text.parse::<u32>().ok());
    let now = now.map(|now| UNIX_EPOCH + Duration::from_secs(now.into()));
    let (Some(now), Some(end)) = (now, rest.windows(4).position(|line| line == b"\n%%\n")) else { return };
    let Some(input) = Input::read(&rest[end + 4..]) else { return };
    let served = Arc::new(Served { document: rest[..end].into(), asked: Mutex::default() });
    let secrets = Secrets::new()
        .setting("webhook_id", "4JH86294D6297924G")
        .setting("topic_arn", "arn:aws:sns:us-east-1:123456789012:made-up-topic")
        .setting("environment", "sandbox")
        .setting("audience", "https://hooks.example.test/in/google")
        .setting("email", "push@made-up-project.iam.gserviceaccount.com")
        .keys(Arc::clone(&served) as Arc<dyn Keys>);
    let request = input.request();
    let verdict = verify(input.scheme(), &request, &secrets, now).map(|event| event.secret().to_owned());
    assert_eq!(explain(input.scheme(), &request, &secrets, now).verdict, verdict);
    let _ = handshake(input.scheme(), &request, &secrets, now);

    for url in served.asked.lock().expect("no panic").iter() {
        let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        assert!(HOSTS.iter().any(|end| host.ends_with(end)), "{url}");
    }
    // The other two do not sign the body, or not its white space.
    let signs_body = ["PayPal", "Plaid"].contains(&&*input.provider.title);
    if verdict.is_ok() && signs_body && !input.body.is_empty() {
        let mut other = input.body.to_vec();
        other[0] ^= 1;
        assert!(verify(input.scheme(), &Request { body: &other, ..request }, &secrets, now).is_err());
    }
});

/// Serves one document wherever it is asked, and notes where that was.
struct Served {
    document: Arc<[u8]>,
    asked: Mutex<Vec<String>>,
}

impl Keys for Served {
    fn find(&self, key: &PublishedKey, _: SystemTime) -> Option<Arc<[u8]>> {
        self.asked.lock().expect("no panic").push(key.url().to_owned());
        Some(Arc::clone(&self.document))
    }
}
