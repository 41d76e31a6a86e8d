//! `nuncio webhook`, as a user would run it.

mod canary;
mod files;
mod keys;
mod published;
mod sign;
mod verify;

use crate::support::{Home, Ran};

/// Base64 that is text as well, so that it is a key of every symmetric scheme.
const KEY: &str = "bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0=";
const AT: &str = "1760000000";
const LATER: &str = "1760000100";

/// A home whose variable KEY has the secret.
fn home() -> Home {
    Home::new().with_env("KEY", KEY)
}

/// Signs `body` as `provider` and keeps the headers in headers.txt.
fn signed(home: &Home, provider: &str, body: &(impl AsRef<[u8]> + ?Sized)) {
    let ran = home.run_with(
        &[
            "webhook",
            "sign",
            provider,
            "--secret-env",
            "KEY",
            "--id",
            "msg_1",
            "--at",
            AT,
            "--body-file",
            "-",
        ],
        body,
    );
    home.write("headers.txt", &ran.ends_with(0).out);
}

/// Verifies `body` with the headers of headers.txt, a little later.
fn verified(home: &Home, provider: &str, body: &(impl AsRef<[u8]> + ?Sized), more: &[&str]) -> Ran {
    let args = ["webhook", "verify", provider, "-H", "@headers.txt", "--body-file", "-", "--at", LATER];
    home.run_with(&[&args, more].concat(), body)
}
