//! A refresh token that is used up by the request that shows it.

use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::time::advance;

use super::*;
use crate::Response;
use crate::auth::testing::listening;

/// An authorization server that rotates refresh tokens, and can misbehave.
#[derive(Clone, Default)]
struct Rotating(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// How often it was asked.
    asked: usize,
    /// Number of the refresh token that is good.
    current: usize,
    /// Whether it takes the one before as well.
    grace: bool,
    /// How many answers get lost, from now on.
    losing: usize,
    /// What it answers instead of looking at the token.
    says: Option<(u16, &'static str)>,
    /// Whether its answers leave the refresh token out.
    keeps_refresh_tokens: bool,
}

fn refresh_token(number: usize) -> String {
    format!("made-up-refresh-{number}.")
}

impl Rotating {
    fn set(&self, f: impl FnOnce(&mut State)) {
        f(&mut self.0.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    fn exchange(&self) -> Exchange {
        let server = self.clone();
        exchange(move |request| {
            let server = server.clone();
            async move {
                sleep(SECOND).await;
                let (answer, is_lost) = server.answer(&request);
                if is_lost {
                    std::future::pending::<()>().await;
                }
                answer
            }
        })
    }

    fn answer(&self, request: &Request) -> (Result<Response, Error>, bool) {
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        let is_lost = state.losing > 0;
        state.losing = state.losing.saturating_sub(1);
        if let Some((status, body)) = state.says {
            return (answer(status, body), is_lost);
        }
        let pairs = pairs(request);
        let shown = &pairs.iter().find(|(name, _)| name == "refresh_token").unwrap().1;
        let is_current = *shown == refresh_token(state.current);
        let is_last = state.grace && state.current > 0 && *shown == refresh_token(state.current - 1);
        if !is_current && !is_last {
            return (answer(400, r#"{"error": "invalid_grant", "error_description": "used up"}"#), is_lost);
        }
        let mut next = String::new();
        if !state.keeps_refresh_tokens {
            state.current += 1;
            next = format!(r#", "refresh_token": "{}""#, refresh_token(state.current));
        }
        let token = token(state.asked);
        (answer(200, &format!(r#"{{"access_token": "{token}", "expires_in": 3600{next}}}"#)), is_lost)
    }
}

/// A store with a login whose access token, of number 0, came just now and is good for an hour.
async fn logged_in(exchange: &Exchange) -> MemoryStore {
    let now = exchange.clock.now();
    let tokens = Tokens {
        access_token: Some(token(0).into()),
        refresh_token: Some(refresh_token(0).into()),
        expires_at: Some(now + 3600 * SECOND),
        obtained_at: now,
        scopes: vec!["read".to_owned()],
        ..Tokens::default()
    };
    let store = MemoryStore::default();
    store::replace(&store, &tokens).await.unwrap();
    store
}

/// What a process has that shares `store`.
fn process(store: &MemoryStore) -> OAuth2 {
    OAuth2::login(client()).store(Arc::new(store.clone()))
}

async fn kept(store: &MemoryStore) -> Tokens {
    store.load().await.unwrap().unwrap()
}

async fn kept_refresh_token(store: &MemoryStore) -> String {
    kept(store).await.refresh_token.unwrap().expose().to_owned()
}

/// Server, exchange, and a store with a login that is to be refreshed now, though its token is still good for a minute.
async fn near_the_end() -> (Rotating, Exchange, MemoryStore) {
    let server = Rotating::default();
    let exchange = server.exchange();
    let store = logged_in(&exchange).await;
    advance(3540 * SECOND).await;
    (server, exchange, store)
}

/// The same, the token being no longer good.
async fn after_the_end() -> (Rotating, Exchange, MemoryStore) {
    let (server, exchange, store) = near_the_end().await;
    advance(60 * SECOND).await;
    (server, exchange, store)
}

fn reason(error: &Error) -> &str {
    assert_eq!((error.kind(), error.advice()), (Kind::Auth, Some("log in again")), "{error:?}");
    error.cause::<NeedsLogin>().unwrap().reason()
}

#[tokio::test(start_paused = true)]
async fn what_a_login_left_is_used_until_shortly_before_it_expires() {
    let server = Rotating::default();
    let exchange = server.exchange();
    let store = logged_in(&exchange).await;
    advance(3539 * SECOND).await;
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(0));
    advance(SECOND).await;
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(1));
}

#[tokio::test(start_paused = true)]
async fn the_next_refresh_token_is_kept_before_the_access_token_is_used() {
    let (_, exchange, store) = near_the_end().await;
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(1));
    let kept = kept(&store).await;
    assert_eq!(kept.refresh_token.unwrap().expose(), refresh_token(1));
    assert_eq!(kept.access_token.unwrap().expose(), token(1));
    assert_eq!((kept.refresh_started, kept.expires_at), (None, Some(exchange.clock.now() + 3600 * SECOND)));
    assert_eq!(kept.scopes, ["read"], "what the answer leaves out stays");
}

#[tokio::test(start_paused = true)]
async fn that_a_refresh_begins_is_kept_before_it_is_sent() {
    let store = MemoryStore::default();
    let seen = store.clone();
    let exchange = exchange(move |_| {
        let seen = seen.clone();
        async move {
            assert!(kept(&seen).await.refresh_started.is_some());
            answer(200, r#"{"access_token": "made-up-token-1."}"#)
        }
    });
    let scheme = OAuth2::refresh_token(client(), refresh_token(0).into()).store(Arc::new(store.clone()));
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
    assert!(kept(&store).await.refresh_started.is_none());
}

/// A store that is full when the new tokens come: it takes that a refresh began, and nothing else.
#[derive(Default)]
struct Full(MemoryStore);
impl TokenStore for Full {
    fn load(&self) -> BoxFuture<'_, Result<Option<Tokens>, Error>> {
        self.0.load()
    }
    fn lease(&self, length: Duration) -> BoxFuture<'_, Result<Lease, Error>> {
        self.0.lease(length)
    }
    fn save<'a>(&'a self, lease: &'a Lease, tokens: &'a Tokens) -> BoxFuture<'a, Result<(), Error>> {
        match tokens.refresh_started {
            Some(_) => self.0.save(lease, tokens),
            None => Box::pin(async { Err(Error::configuration("made-up: the disk is full")) }),
        }
    }
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), Error>> {
        self.0.release(lease)
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_cannot_be_kept_is_not_used() {
    let exchange = Rotating::default().exchange();
    let scheme = OAuth2::refresh_token(client(), refresh_token(0).into()).store(Arc::new(Full::default()));
    let error = call(&scheme, &exchange).await.unwrap_err();
    assert_eq!(error.to_string(), "made-up: the disk is full");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_be_got_again_is_used_though_it_cannot_be_kept() {
    let exchange = exchange(|_| async { answer(200, r#"{"access_token": "made-up-token-1."}"#) });
    let scheme = scheme().store(Arc::new(Full::default()));
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_refresh_token_leaves_the_old_one() {
    let (server, exchange, store) = near_the_end().await;
    server.set(|state| state.keeps_refresh_tokens = true);
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(1));
    assert_eq!(kept_refresh_token(&store).await, refresh_token(0));
}

#[tokio::test(start_paused = true)]
async fn fifty_processes_refresh_once() {
    let (server, exchange, store) = after_the_end().await;
    let processes: Vec<_> = (0..50).map(|_| process(&store)).collect();
    let tokens = join_all(processes.iter().map(|process| call(process, &exchange))).await;
    assert!(tokens.into_iter().all(|carried| carried.unwrap() == token(1)));
    assert_eq!((server.asked(), kept_refresh_token(&store).await), (1, refresh_token(1)));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_goes_on_when_nobody_waits_for_it_any_more() {
    let (server, exchange, store) = after_the_end().await;
    let process = process(&store);
    let mut only = Box::pin(call(&process, &exchange));
    assert!((&mut only).now_or_never().is_none());
    drop(only);
    assert_eq!(call(&process, &exchange).await.unwrap(), token(1));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_once_more() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| (state.grace, state.losing) = (true, 1));
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(2));
    assert!(kept(&store).await.refresh_started.is_none());
}

#[tokio::test(start_paused = true)]
async fn while_answers_get_lost_whoever_comes_next_asks_again() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| (state.grace, state.losing) = (true, 2));
    let error = call(&process(&store), &exchange).await.unwrap_err();
    assert_eq!(error.cause::<Error>().unwrap().kind(), Kind::Timeout);
    assert!(kept(&store).await.refresh_started.is_some());
    server.set(|state| state.current = 1);
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(3));
}

#[tokio::test(start_paused = true)]
async fn what_a_process_that_died_began_is_asked_for_again() {
    let (server, exchange, store) = after_the_end().await;
    let begun = Tokens { refresh_started: Some(exchange.clock.now()), ..kept(&store).await };
    store::replace(&store, &begun).await.unwrap();
    server.set(|state| (state.grace, state.current) = (true, 1));
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(1));
    assert_eq!(kept_refresh_token(&store).await, refresh_token(2));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_with_the_lease_holds_others_up_for_its_length_alone() {
    let (_, exchange, store) = after_the_end().await;
    let _of_the_dead = store.lease(4 * DEFAULT_TIMEOUT).await.unwrap();
    let before = exchange.clock.now();
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), token(1));
    assert_eq!(exchange.clock.now().duration_since(before).unwrap(), 4 * DEFAULT_TIMEOUT + SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_the_reason_where_the_server_gives_no_grace() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| state.losing = 1);
    let error = call(&process(&store), &exchange).await.unwrap_err();
    assert_eq!(
        reason(&error),
        "the authorization server refused: invalid_grant (used up); the answer to the refresh that began \
         Thu, 09 Oct 2025 09:53:20 GMT was lost, and the server takes its refresh token no second time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_refused_needs_a_login_and_nobody_asks_again() {
    let (server, exchange, store) = near_the_end().await;
    server.set(|state| state.current = 7);
    let first = process(&store);
    let error = call(&first, &exchange).await.unwrap_err();
    assert_eq!(reason(&error), "the authorization server refused: invalid_grant (used up)");
    assert_eq!(
        error.report().lines().collect::<Vec<_>>(),
        [
            "the service needs a login",
            "  because: the authorization server refused: invalid_grant (used up)",
            "  help: log in again",
        ]
    );
    for process in [first, process(&store)] {
        let again = call(&process, &exchange).await.unwrap_err();
        assert_eq!(reason(&again), reason(&error));
    }
    assert_eq!(server.asked(), 1);

    let now = exchange.clock.now();
    let login =
        Tokens { access_token: Some("made-up-new-login".into()), obtained_at: now, ..Tokens::default() };
    store::replace(&store, &login).await.unwrap();
    assert_eq!(call(&process(&store), &exchange).await.unwrap(), "made-up-new-login");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_or_slow_does_not_cost_a_token_that_is_still_good() {
    for (status, losing) in [(503, 0), (500, 0), (429, 0), (200, 2)] {
        let (server, exchange, store) = near_the_end().await;
        server.set(|state| (state.says, state.losing) = (Some((status, "made-up outage")), losing));
        let process = process(&store);
        assert_eq!(call(&process, &exchange).await.unwrap(), token(0), "{status}");
        server.set(|state| state.says = None);
        let asked = server.asked();
        assert_eq!(call(&process, &exchange).await.unwrap(), token(asked + 1), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_is_used_by_a_process_that_starts_while_the_server_is_down() {
    let (server, exchange, store) = near_the_end().await;
    server.set(|state| state.says = Some((503, "")));
    let (context, heard) = listening();
    let mut request = get("https://api.example.com/");
    request.extensions_mut().insert(context);
    let request = process(&store).authenticate(request, &exchange).await.unwrap();
    assert_eq!(request.headers()["authorization"], format!("Bearer {}", token(0)));
    assert_eq!(*heard.lock().unwrap(), ["kept the access token for now: the authorization server failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_client_is_none_of_the_login() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| state.says = Some((401, r#"{"error": "invalid_client"}"#)));
    let error = call(&process(&store), &exchange).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"));
    let kept = kept(&store).await;
    assert_eq!((kept.needs_login, kept.refresh_started), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_may_have_come_through_is_remembered() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| state.says = Some((502, "made-up bad gateway")));
    call(&process(&store), &exchange).await.unwrap_err();
    assert_eq!(server.asked(), 1, "an answer that came is not asked for again");
    let began = kept(&store).await.refresh_started;
    assert_eq!(began, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_003_600)));
}

fn refuse(process: &OAuth2, number: usize) -> bool {
    let mut sent = http::HeaderMap::new();
    sent.insert("authorization", format!("Bearer {}", token(number)).parse().unwrap());
    let (answered, context) = (http::HeaderMap::new(), Context::default());
    process.refused(&Refusal { sent: &sent, answered: &answered, context: &context })
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_service_refused_is_replaced_once_for_all_processes() {
    let server = Rotating::default();
    let exchange = server.exchange();
    let store = logged_in(&exchange).await;
    let (one, other) = (process(&store), process(&store));
    for process in [&one, &other] {
        assert_eq!(call(process, &exchange).await.unwrap(), token(0));
        assert!(refuse(process, 0));
    }
    for process in [&one, &other] {
        assert_eq!(call(process, &exchange).await.unwrap(), token(1));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_overtaken_uses_what_the_other_got() {
    let (server, exchange, store) = after_the_end().await;
    server.set(|state| (state.grace, state.losing) = (true, 1));
    // A lease so short that the other takes it while the first waits for its lost answer.
    let slow = process(&store).timeout(30 * SECOND);
    let overtaken = store.clone();
    let steal = async {
        sleep(20 * SECOND).await;
        let now = exchange.clock.now();
        let tokens = Tokens {
            access_token: Some("made-up-overtaking".into()),
            expires_at: Some(now + 3600 * SECOND),
            obtained_at: now,
            ..Tokens::default()
        };
        // As a store does when the lease is over, here in the middle.
        overtaken.end_lease();
        store::replace(&overtaken, &tokens).await.unwrap();
    };
    let (carried, ()) = tokio::join!(call(&slow, &exchange), steal);
    assert_eq!(carried.unwrap(), "made-up-overtaking");
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_token_a_token_is_used_to_its_end_and_then_needs_a_login() {
    let (server, exchange, store) = near_the_end().await;
    let alone = Tokens { refresh_token: None, ..kept(&store).await };
    store::replace(&store, &alone).await.unwrap();
    let process = process(&store);
    assert_eq!(call(&process, &exchange).await.unwrap(), token(0));
    advance(60 * SECOND).await;
    let error = call(&process, &exchange).await.unwrap_err();
    assert_eq!(
        reason(&error),
        "the access token is no longer good, and the server gave no refresh token with it"
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn before_anybody_has_logged_in_that_is_said() {
    let exchange = Rotating::default().exchange();
    let error = call(&process(&MemoryStore::default()), &exchange).await.unwrap_err();
    assert_eq!(reason(&error), "nobody has logged in yet");
}
