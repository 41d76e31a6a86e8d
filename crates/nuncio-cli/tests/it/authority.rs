//! An authorization server, and the service that takes its tokens. It rotates refresh tokens, is slow, loses answers, and notices a token
//! that comes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Seconds that an access token is said to be good for.
const LIFETIME: u64 = 2;

/// How the server behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// A refresh token that was used may be used once more, which gives the same again.
    pub(crate) grace: bool,
    /// Of a hundred answers to refreshes, so many are lost after what they say has come into force.
    pub(crate) lost_percent: u8,
    /// The longest that it thinks about a refresh.
    pub(crate) slow: Duration,
}

/// A server on this machine.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Logins so far. Each has refresh tokens of its own.
    pub(crate) logins: u32,
    /// How often the refresh token of this login has been replaced.
    current: u32,
    /// Access tokens that the service takes.
    good: BTreeSet<String>,
    pub(crate) refreshes: u32,
    pub(crate) lost: u32,
    /// Used refresh tokens that came again in the grace.
    pub(crate) repeated: u32,
    /// Used refresh tokens that came again otherwise: the login has ended by that.
    pub(crate) reused: Vec<Asked>,
    /// Who asked with each refresh token first, and whether the answer was lost.
    asked: BTreeMap<String, Asked>,
    pub(crate) calls: u32,
    pub(crate) revoked: Vec<String>,
    /// The last form to the token endpoint.
    pub(crate) form: BTreeMap<String, String>,
}

/// A refresh.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The parameter `run`.
    pub(crate) run: String,
    pub(crate) lost: bool,
}

impl Authority {
    pub(crate) async fn start(habits: Habits, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { logins: 1, ..State::default() }));
        let authority = Self { url, state };
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        let accepting = authority.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (authority, random) = (accepting.clone(), Arc::clone(&random));
                // A client that was killed breaks the connection.
                tokio::spawn(async move { authority.serve(stream, habits, &random).await.ok() });
            }
        });
        authority
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The first refresh token of a new login.
    pub(crate) fn new_login(&self) -> String {
        let mut state = self.state();
        state.logins += 1;
        state.current = 0;
        state.refresh_token()
    }

    /// The file of the service.
    pub(crate) fn service(&self, more: &str) -> String {
        let url = &self.url;
        format!(
            "service: shop\nbase_url: {url}\nauth:\n  oauth2: {{ token_url: /token, authorization_url: /authorize, \
             device_authorization_url: /device, revocation_url: /revoke, client_id: made-up-client{more} }}\n\
             operations:\n  touch: {{ post: /touch, repeatable: true }}\n"
        )
    }

    async fn serve(
        &self,
        stream: TcpStream,
        habits: Habits,
        random: &Mutex<fastrand::Rng>,
    ) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let request = Request::read(&mut stream).await?;
        let (mut status, mut body, mut location) = (200, json!({}), String::new());
        match request.target.path() {
            "/token" => {
                let (wait, lost) = {
                    let mut random = random.lock().unwrap();
                    (habits.slow.mul_f64(random.f64()), random.u8(..100) < habits.lost_percent)
                };
                tokio::time::sleep(wait).await;
                match self.state().token(&request.form(), habits.grace, lost) {
                    Some(answer) => (status, body) = answer,
                    None => return Ok(()),
                }
            }
            "/authorize" => {
                let query: BTreeMap<String, String> = request.target.query_pairs().into_owned().collect();
                status = 302;
                let mut back: Url = query["redirect_uri"].parse().unwrap();
                back.query_pairs_mut()
                    .append_pair("code", "made-up-code")
                    .append_pair("state", &query["state"]);
                location = back.into();
            }
            "/device" => {
                body = json!({"device_code": "made-up-device-code", "user_code": "MADE-UP", "interval": 1,
                    "verification_uri": "https://auth.example.com/device", "expires_in": 60});
            }
            "/revoke" => {
                let token = request.form()["token"].clone();
                self.state().revoked.push(token);
            }
            _ => {
                let mut state = self.state();
                state.calls += 1;
                let token = request.authorization.strip_prefix("Bearer ").unwrap_or_default();
                status = if state.good.contains(token) { 200 } else { 401 };
            }
        }
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status} Made Up\r\ncontent-type: application/json\r\nlocation: {location}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await
    }
}

impl State {
    /// The refresh token that is good now.
    pub(crate) fn refresh_token(&self) -> String {
        format!("made-up-refresh-{}-{}", self.logins, self.current)
    }

    fn token(&mut self, form: &BTreeMap<String, String>, grace: bool, lost: bool) -> Option<(u16, Value)> {
        self.form.clone_from(form);
        let pair = |state: &Self| {
            let access = format!("made-up-access-{}-{}", state.logins, state.current);
            json!({"access_token": access, "refresh_token": state.refresh_token(), "expires_in": LIFETIME})
        };
        let Some(shown) = form.get("refresh_token") else {
            self.good.insert(format!("made-up-access-{}-{}", self.logins, self.current));
            return Some((200, pair(self)));
        };
        self.refreshes += 1;
        // The first of a login always comes, so that there is something to lose.
        let lost = lost && self.current > 0;
        let before = format!("made-up-refresh-{}-{}", self.logins, self.current.saturating_sub(1));
        if *shown == self.refresh_token() {
            self.asked
                .insert(shown.clone(), Asked { run: form.get("run").cloned().unwrap_or_default(), lost });
            self.current += 1;
        } else if grace && self.current > 0 && *shown == before {
            self.repeated += 1;
        } else {
            // Its login has ended, and with it the tokens.
            if let Some(asked) = self.asked.get(shown).cloned() {
                self.reused.push(asked);
            }
            self.good.clear();
            self.current = u32::MAX;
            return Some((
                400,
                json!({"error": "invalid_grant", "error_description": "the refresh token was used"}),
            ));
        }
        self.good.insert(format!("made-up-access-{}-{}", self.logins, self.current));
        self.lost += u32::from(lost);
        (!lost).then(|| (200, pair(self)))
    }
}

/// One request, read whole.
struct Request {
    target: Url,
    authorization: String,
    body: Vec<u8>,
}

impl Request {
    async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 || line == "\r\n" {
                break;
            }
            lines.push(line);
        }
        let header = |name: &str| {
            let found = lines.iter().filter_map(|line| line.split_once(':'));
            found
                .into_iter()
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
        };
        let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/");
        let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        Ok(Self {
            target: format!("http://127.0.0.1{path}").parse().unwrap(),
            authorization: header("authorization").unwrap_or_default().to_owned(),
            body,
        })
    }

    fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}
