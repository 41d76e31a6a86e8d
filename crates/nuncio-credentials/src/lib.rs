//! Keeps credentials on disk.
//!
//! A [`CredentialStore`] holds connections: a service, an account there, and the secrets that prove who it is. It is one SQLite file, in
//! which every secret is encrypted (AES-256-GCM) with a key that is kept elsewhere ([`Keys`]). Any number of processes may use it at once.
//!
//! Three ideas:
//!
//! - **A secret opens only in its place.** Service, account, field and key are authenticated with it, so that rows cannot be swapped.
//! - **Nothing is lost.** A wrong key or a damaged file is an error that names it, and nothing is overwritten. A new key
//!   ([`CredentialStore::rekey`]) is for everything or for nothing, whenever the power fails.
//! - **The world is handed in.** Neither the environment nor a terminal is looked at; the time of day is a [`Clock`](nuncio_client::Clock).
//!
//! What it does not do: hide how many connections there are, their names, and how long their secrets are; and keep secrets from whoever
//! can read both the file and its key, or the memory of a process that uses them.

mod account;
mod database;
mod export;
mod files;
mod holders;
mod keeper;
mod kept;
mod key;
mod key_file;
mod keyring;
mod keys;
mod lease;
mod options;
mod rekey;
mod rows;
mod store;
mod tokens;

pub use account::{Account, DEFAULT_NAME, MAX_NAME_BYTES};
pub use export::MAX_EXPORT_BYTES;
pub use keyring::{Entry, Keyring};
pub use keys::{KEY_VARIABLE, KeyInfo, KeySource, Keys};
pub use options::Options;
pub use rekey::NewKey;
pub use rows::{MAX_CONNECTIONS, MAX_VALUE_BYTES, MAX_VARIABLES};
pub use store::{CredentialStore, StoredConnection};
pub use tokens::StoredTokens;
