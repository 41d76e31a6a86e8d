//! Everything in one document, to be taken to another machine.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use nuncio_client::auth::oauth2::Tokens;
use nuncio_client::{Error, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Account;
use crate::kept::Kept;
use crate::rows::{exists, put};
use crate::store::CredentialStore;

/// Bound on an export that is read: 16 MiB.
pub const MAX_EXPORT_BYTES: usize = 16 * 1024 * 1024;

/// Rounds of PBKDF2-HMAC-SHA256 between passphrase and key, as OWASP's Password Storage Cheat Sheet wants them.
const ROUNDS: u32 = 600_000;

/// More than that keeps a machine busy for minutes, which only a document made for it asks for.
const MAX_ROUNDS: u32 = 10_000_000;

const VERSION: u32 = 1;

/// What the document shows to everyone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    nuncio_export: u32,
    rounds: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    service: String,
    name: String,
    variables: BTreeMap<String, String>,
    tokens: Option<Kept>,
}

impl CredentialStore {
    /// All connections as one JSON document, encrypted with a key from `passphrase` (PBKDF2-HMAC-SHA256 with 600,000 rounds, AES-256-GCM).
    /// It shows nothing but its size.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn export(&self, passphrase: &Secret) -> Result<String, Error> {
        let exported = self.list()?.into_iter().map(|connection| Exported {
            service: connection.account.service().to_owned(),
            name: connection.account.name().to_owned(),
            variables: connection
                .variables
                .iter()
                .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                .collect(),
            tokens: connection.tokens.as_ref().map(Kept::of),
        });
        let mut sealed =
            serde_json::to_vec(&exported.collect::<Vec<_>>()).expect("text and numbers are always JSON");
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).expect("the system has randomness");
        let cipher = cipher(passphrase, ROUNDS, &salt);
        let nonce =
            cipher.seal_in_place_append_tag(Aad::empty(), &mut sealed).expect("bounded values can be sealed");
        let document = Document {
            nuncio_export: VERSION,
            rounds: ROUNDS,
            salt: BASE64_STANDARD.encode(salt),
            nonce: BASE64_STANDARD.encode(nonce.as_ref()),
            sealed: BASE64_STANDARD.encode(sealed),
        };
        Ok(serde_json::to_string(&document).expect("text and numbers are always JSON"))
    }

    /// Stores what [`export`](Self::export) wrote: all of it or, on an error, nothing. Which accounts.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a document that is none, another passphrase, and, unless `replace`,
    /// accounts that are stored already, which are named; and as [`put`](Self::put).
    pub fn import(&self, document: &str, passphrase: &Secret, replace: bool) -> Result<Vec<Account>, Error> {
        let connections = read(document, passphrase)?;
        self.write(|db, key| {
            for (account, variables, tokens) in &connections {
                if !replace && exists(db, account)? {
                    return Err(Error::configuration(format!(
                        "{account} is stored already, and nothing was imported"
                    ))
                    .advise("remove it, or import with --replace")
                    .into());
                }
                put(self, db, key, account, variables, tokens.as_ref())?;
            }
            Ok(connections.iter().map(|(account, ..)| account.clone()).collect())
        })
    }
}

type Connection = (Account, BTreeMap<String, Secret>, Option<Tokens>);

fn read(document: &str, passphrase: &Secret) -> Result<Vec<Connection>, Error> {
    let refused =
        |what: &str| Error::configuration(format!("this is no export of nuncio that can be read: {what}"));
    if document.len() > MAX_EXPORT_BYTES {
        return Err(refused(&format!("it is larger than {MAX_EXPORT_BYTES} bytes")));
    }
    let document: Document = serde_json::from_str(document)
        .map_err(|error| refused("it is not whole, or something else").because(error))?;
    if document.nuncio_export != VERSION {
        return Err(refused(&format!(
            "it is of version {}, and this nuncio knows {VERSION}",
            document.nuncio_export
        )));
    }
    if !(ROUNDS..=MAX_ROUNDS).contains(&document.rounds) {
        return Err(refused(&format!("its rounds are {}, not {ROUNDS} to {MAX_ROUNDS}", document.rounds)));
    }
    let decoded = |text: &str| BASE64_STANDARD.decode(text).ok();
    let (Some(salt), Some(nonce), Some(sealed)) =
        (decoded(&document.salt), decoded(&document.nonce), decoded(&document.sealed))
    else {
        return Err(refused("it is not base64"));
    };
    let nonce = Nonce::try_assume_unique_for_key(&nonce)
        .map_err(|_| refused("its nonce is too short or too long"))?;
    let mut sealed = Zeroizing::new(sealed);
    let opened = cipher(passphrase, document.rounds, &salt).open_in_place(nonce, Aad::empty(), &mut sealed);
    let opened = opened.map_err(|_| {
        Error::configuration(
            "the export does not open: the passphrase is another, or the document was changed",
        )
        .advise("type the passphrase it was exported with; nothing was imported")
    })?;
    let exported: Vec<Exported> =
        serde_json::from_slice(opened).map_err(|_| refused("another version wrote it"))?;
    let connections = exported.into_iter().map(|exported| {
        let variables =
            exported.variables.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        Ok((Account::new(exported.service, exported.name)?, variables, exported.tokens.map(Kept::tokens)))
    });
    connections.collect()
}

fn cipher(passphrase: &Secret, rounds: u32, salt: &[u8]) -> RandomizedNonceKey {
    let mut key = Zeroizing::new([0; 32]);
    let rounds = NonZeroU32::new(rounds).expect("more than none");
    pbkdf2::derive(PBKDF2_HMAC_SHA256, rounds, salt, passphrase.expose().as_bytes(), &mut *key);
    RandomizedNonceKey::new(&AES_256_GCM, &*key).expect("the cipher takes 32 bytes")
}
