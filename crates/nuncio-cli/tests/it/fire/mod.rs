//! Refresh under fire: 50 processes share one refresh token that rotates, at a server that is slow and loses a fifth of its answers after
//! they have come into force, and processes are killed at any moment.
//!
//! What can be guaranteed is in `docs/auth.md`.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use nuncio_client::auth::oauth2::Tokens;
use nuncio_credentials::{Account, CredentialStore};
use tokio::time::timeout;

use crate::authority::{Authority, Habits, State};
use crate::login::store;
use crate::support::{Home, Ran};

const PROCESSES: usize = 50;

/// Of a hundred processes, so many are killed, and by when at the latest.
const KILLED_PERCENT: u8 = 25;
const LATEST_KILL_MILLIS: u64 = 800;

/// With this one the third and the seventh answer are lost, so that it need not burn for long.
const SEED: u64 = 155;

/// The tests hang rather than fail where a lease is lost for good.
const PATIENCE: Duration = Duration::from_secs(55);

fn habits(grace: bool) -> Habits {
    Habits { grace, lost_percent: 20, slow: Duration::from_millis(150) }
}

struct Fire {
    home: Home,
    authority: Authority,
    /// Numbers of the processes that were killed.
    killed: Mutex<BTreeSet<String>>,
}

/// What came of the processes.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    killed: usize,
    /// Two answers in a row were lost: the call failed, and the login is as good as before.
    unlucky: usize,
    needs_login: Vec<Ran>,
    failed: Vec<Ran>,
}

impl Fire {
    async fn light(grace: bool) -> Self {
        let authority = Authority::start(habits(grace), SEED).await;
        let home = Home::new();
        let more = ", grant: authorization_code, params: { run: '{{ env.RUN }}' }";
        home.write("services/shop.yaml", &authority.service(more));
        let fire = Self { home, authority, killed: Mutex::default() };
        fire.log_in(fire.authority.state().refresh_token());
        fire
    }

    fn store(&self) -> CredentialStore {
        store(&self.home)
    }

    fn log_in(&self, refresh_token: String) {
        let tokens = Tokens { refresh_token: Some(refresh_token.into()), ..Tokens::default() };
        self.store().put(&account(), &Default::default(), Some(&tokens)).unwrap();
    }

    fn tokens(&self) -> Tokens {
        self.store().get(&account()).unwrap().unwrap().tokens.unwrap()
    }

    /// 50 processes at a time, each followed by another until there was enough. One that needs a login is the last in its place.
    async fn burn(&self, seed: u64, enough: fn(&State) -> bool) -> Tally {
        let tallies = (0..PROCESSES).map(|place| async move {
            let mut random = fastrand::Rng::with_seed(seed << 8 | place as u64);
            let mut tally = Tally::default();
            for run in 0.. {
                if enough(&self.authority.state()) || !tally.needs_login.is_empty() {
                    break;
                }
                let number = format!("{seed}-{place}-{run}");
                let kill = Duration::from_millis(random.u64(..LATEST_KILL_MILLIS));
                let is_killed = random.u8(..100) < KILLED_PERCENT;
                tally.note(self.run(number, is_killed.then_some(kill)).await);
            }
            tally
        });
        let mut all = Tally::default();
        for tally in join_all(tallies).await {
            all.done += tally.done;
            all.killed += tally.killed;
            all.unlucky += tally.unlucky;
            all.needs_login.extend(tally.needs_login);
            all.failed.extend(tally.failed);
        }
        all
    }

    /// One process; nothing when it was killed.
    async fn run(&self, number: String, kill: Option<Duration>) -> Option<Ran> {
        let mut command = self.home.command(&["call", "shop", "touch", "--as", "shared", "-v"]);
        command.env("RUN", &number).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Killed by being dropped.
        let ended =
            tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap().wait_with_output();
        match timeout(kill.unwrap_or(PATIENCE), ended).await {
            Ok(output) => Some(Ran::from(output.unwrap())),
            Err(_) => {
                self.killed.lock().unwrap().insert(number);
                None
            }
        }
    }
}

impl Tally {
    fn note(&mut self, ran: Option<Ran>) {
        match ran {
            None => self.killed += 1,
            Some(ran) if ran.code == 0 => self.done += 1,
            Some(ran) if ran.code == 8 && ran.err.contains("needs a login") => self.needs_login.push(ran),
            Some(ran)
                if ran.code == 8
                    && ran.err.matches("the connection broke before the answer (connect)").count() == 2 =>
            {
                self.unlucky += 1;
            }
            Some(ran) => self.failed.push(ran),
        }
    }
}

fn account() -> Account {
    Account::new("shop", "shared").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_server_that_gives_grace_nobody_is_ever_logged_out() {
    let fire = Fire::light(true).await;
    let tally = timeout(PATIENCE, fire.burn(1, |state| state.refreshes >= 6 && state.lost >= 2))
        .await
        .expect("nobody waits for ever");
    let state = fire.authority.state().clone();
    eprintln!(
        "with grace: {} processes done, {} killed, {} failed by two lost answers; {} refreshes, {} answers lost, {} tokens shown again, {} reused; {} calls",
        tally.done,
        tally.killed,
        tally.unlucky,
        state.refreshes,
        state.lost,
        state.repeated,
        state.reused.len(),
        state.calls
    );
    assert!(tally.needs_login.is_empty() && tally.failed.is_empty(), "{tally:#?}");
    assert!(state.reused.is_empty(), "{:?}", state.reused);
    assert!(fire.tokens().needs_login.is_none());
    assert!(tally.done > 0 && tally.killed > 0, "there was no fire");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_server_that_gives_none_a_login_ends_only_where_an_answer_was_lost() {
    let fire = Fire::light(false).await;
    let (mut ended, mut done, mut killed) = (0, 0, 0);
    let burning = async {
        for seed in 0..2 {
            fire.run(format!("first of {seed}"), None).await.expect("not killed").ends_with(0);
            let tally = fire.burn(seed, |_| false).await;
            assert!(tally.failed.is_empty(), "{tally:#?}");
            (done, killed) = (done + tally.done, killed + tally.killed);
            let kept = fire.tokens();
            let reused = std::mem::take(&mut fire.authority.state().reused);
            let reason = kept.needs_login.expect("it burns until a login has ended");
            ended += 1;
            let is_excused = reused[0].lost || fire.killed.lock().unwrap().contains(&reused[0].run);
            assert!(is_excused, "{} was used twice, and its answer was not lost", reused[0].run);
            assert!(reason.contains("invalid_grant") && reason.contains("was lost"), "{reason}");
            assert!(tally.needs_login.iter().all(|ran| ran.err.contains(&reason)), "{tally:#?}");
            let listed = fire.home.command(&["connections", "list"]).env("RUN", "0").output().unwrap();
            let listed = String::from_utf8(listed.stdout).unwrap();
            assert_eq!(listed, format!("shop  shared  oauth2  needs login: {reason}\n"));
            fire.log_in(fire.authority.new_login());
        }
    };
    timeout(PATIENCE, burning).await.expect("nobody waits for ever");
    let state = fire.authority.state().clone();
    eprintln!(
        "without grace: {done} processes done, {killed} killed; {} refreshes, {} answers lost; {ended} logins ended, each by a lost answer",
        state.refreshes, state.lost
    );
    assert!(done > 0 && killed > 0, "there was no fire");
}
