//! A new key for the store, killed at every single thing that is done to its files, and at random.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nuncio_client::{Clock, Secret};
use nuncio_credentials::{Account, CredentialStore, Keys, Options};

use super::life::start;
use super::syscalls::can_trace;
use crate::support::Home;

const CONNECTIONS: usize = 6;

/// What SQLite and the key file do to the disk.
const CALLS: [&str; 7] = ["pwrite64", "write", "fdatasync", "fsync", "rename", "ftruncate", "unlink"];

/// More than a new key does of one kind.
const MAX_STRIKES: usize = 150;

const DATABASE: &str = ".local/state/nuncio/credentials.db";
const KEY_FILE: &str = ".local/share/nuncio/credentials.key";

fn store(home: &Home) -> CredentialStore {
    let keys = Keys { given: None, keyring: None, file: home.path(KEY_FILE) };
    CredentialStore::open(Options { database: home.path(DATABASE), keys, clock: Clock::system() }).unwrap()
}

/// A home with a store, as it is before each strike.
fn filled() -> Home {
    let home = Home::new();
    let store = store(&home);
    for number in 0..CONNECTIONS {
        let variables = [("TOKEN".to_owned(), Secret::new(format!("made-up-{number}")))].into();
        store.put(&Account::new("shop", number.to_string()).unwrap(), &variables, None).unwrap();
    }
    home
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name): (PathBuf, _) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn copy_of(home: &Home) -> Home {
    let copied = Home::new();
    copy(&home.path(".local"), &copied.path(".local"));
    copied
}

#[track_caller]
fn is_whole(home: &Home, at: &str) {
    let values: Vec<String> = store(home)
        .list()
        .unwrap_or_else(|error| panic!("{at}: {error:?}"))
        .into_iter()
        .map(|connection| connection.variables["TOKEN"].expose().to_owned())
        .collect();
    let expected: Vec<String> = (0..CONNECTIONS).map(|number| format!("made-up-{number}")).collect();
    assert_eq!(values, expected, "{at}");
    let keys = std::fs::read_to_string(home.path(KEY_FILE)).unwrap();
    assert_eq!(
        keys.lines().filter(|line| !line.starts_with('#')).count(),
        1,
        "{at}: opening it has tidied up"
    );
}

fn key_id(home: &Home) -> String {
    store(home).key().unwrap().id
}

#[test]
fn a_new_key_struck_at_any_call_leaves_the_old_or_the_new_in_force() {
    if !can_trace() {
        return;
    }
    let original = filled();
    let before = key_id(&original);
    let (mut strikes, mut old) = (0, 0);
    for call in CALLS {
        for number in 1.. {
            assert!(number < MAX_STRIKES, "{call} is never done");
            let home = copy_of(&original);
            let command = home.command(&["connections", "rekey"]);
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
            strace.arg(command.get_program()).args(command.get_args()).env_clear();
            strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = strace.current_dir(home.dir.path()).output().unwrap();
            if output.status.success() {
                break;
            }
            strikes += 1;
            is_whole(&home, &inject);
            old += usize::from(key_id(&home) == before);
        }
    }
    eprintln!("{strikes} strikes: {old} left the old key in force, {} the new", strikes - old);
    assert!(old >= 5 && strikes - old >= 5, "{old} of {strikes}");
}

#[tokio::test]
async fn a_new_key_killed_at_random_moments_loses_nothing() {
    let mut random = fastrand::Rng::with_seed(4);
    let home = filled();
    let mut killed = 0;
    for life in 0..20 {
        let mut child = start(home.command(&["connections", "rekey"]));
        tokio::time::sleep(Duration::from_micros(random.u64(0..150_000))).await;
        child.start_kill().ok();
        killed += usize::from(!child.wait().await.unwrap().success());
        is_whole(&home, &format!("life {life}"));
    }
    eprintln!("{killed} of 20 were killed before they were done");
    home.run(&["connections", "rekey"]).ends_with(0);
    is_whole(&home, "after all");
}
