//! Where a secret is to be found: `env:NAME` or `file:PATH`. Other users of the machine can read command lines, so none stands there.

use std::io::Read as _;
use std::str::FromStr;

use http::HeaderName;
use nuncio_client::auth::{ApiKey, Auth};
use nuncio_client::{Error, Secret};
use nuncio_service::Env;

/// Bound on a file with a secret: 64 KiB.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Where one secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretRef {
    Env(String),
    File(String),
}

impl SecretRef {
    pub(crate) fn read(&self, env: &Env) -> Result<Secret, Error> {
        match self {
            Self::Env(name) => env.get(name).ok_or_else(|| {
                Error::configuration(format!("the environment variable {name} is not set"))
                    .advise("set it, or name another")
            }),
            Self::File(path) => {
                let mut text = String::new();
                std::fs::File::open(path)
                    .and_then(|file| file.take(MAX_SECRET_BYTES).read_to_string(&mut text))
                    .map_err(|error| {
                        Error::configuration(format!("the secret in {path} cannot be read")).because(error)
                    })?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
        }
    }
}

impl FromStr for SecretRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            // The text is not repeated: it may be the secret itself.
            _ => Err(Error::configuration("a secret stands on the command line, where others can read it")
                .advise("name its place instead, as env:NAME or file:PATH")),
        }
    }
}

/// `--auth`: a scheme and where its secrets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthRef {
    Bearer(SecretRef),
    Basic { user: User, password: SecretRef },
    Header { name: HeaderName, key: SecretRef },
    Query { name: String, key: SecretRef },
    Cookie { name: String, key: SecretRef },
}

/// A user's name is no secret, so it may stand there itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum User {
    Name(String),
    Env(String),
}

impl AuthRef {
    pub(crate) fn read(&self, env: &Env) -> Result<Auth, Error> {
        Ok(match self {
            Self::Bearer(token) => Auth::bearer(token.read(env)?),
            Self::Basic { user, password } => {
                let user = match user {
                    User::Name(name) => name.clone(),
                    User::Env(name) => SecretRef::Env(name.clone()).read(env)?.expose().to_owned(),
                };
                Auth::basic(&user, password.read(env)?)?
            }
            Self::Header { name, key } => Auth::api_key(ApiKey::header(name.clone(), key.read(env)?)),
            Self::Query { name, key } => Auth::api_key(ApiKey::query(name, key.read(env)?)),
            Self::Cookie { name, key } => Auth::api_key(ApiKey::cookie(name, key.read(env)?)),
        })
    }

    /// The variable of the environment that is sent as it is, for a command that others can run.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Bearer(SecretRef::Env(name))
            | Self::Header { key: SecretRef::Env(name), .. }
            | Self::Query { key: SecretRef::Env(name), .. }
            | Self::Cookie { key: SecretRef::Env(name), .. } => Some(name),
            _ => None,
        }
    }
}

impl FromStr for AuthRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = text.split_once(':').ok_or_else(unknown_scheme)?;
        let named = || rest.split_once(':').filter(|(name, _)| !name.is_empty()).ok_or_else(unknown_scheme);
        match scheme {
            "bearer" => Ok(Self::Bearer(rest.parse()?)),
            "basic" => {
                let (first, rest) = named()?;
                let (user, password) = match (first, rest.split_once(':')) {
                    ("env", Some((name, password))) => (User::Env(name.to_owned()), password),
                    _ => (User::Name(first.to_owned()), rest),
                };
                Ok(Self::Basic { user, password: password.parse()? })
            }
            "header" => {
                let (name, key) = named()?;
                let name = name
                    .parse()
                    .map_err(|_| Error::configuration(format!("{name:?} is no name of a header")))?;
                Ok(Self::Header { name, key: key.parse()? })
            }
            "query" => {
                let (name, key) = named()?;
                Ok(Self::Query { name: name.to_owned(), key: key.parse()? })
            }
            "cookie" => {
                let (name, key) = named()?;
                Ok(Self::Cookie { name: name.to_owned(), key: key.parse()? })
            }
            _ => Err(unknown_scheme()),
        }
    }
}

fn unknown_scheme() -> Error {
    Error::configuration("--auth does not name a scheme and where its secret is").advise(
        "write bearer:SECRET, basic:USER:SECRET, header:NAME:SECRET, query:NAME:SECRET or cookie:NAME:SECRET, \
         where SECRET is env:NAME or file:PATH",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> SecretRef {
        SecretRef::Env(name.to_owned())
    }

    #[test]
    fn a_scheme_names_the_places_of_its_secrets() {
        let user = User::Name("ada".to_owned());
        let table = [
            ("bearer:env:TOKEN", AuthRef::Bearer(env("TOKEN"))),
            ("bearer:file:/run/a:b", AuthRef::Bearer(SecretRef::File("/run/a:b".to_owned()))),
            ("basic:ada:env:PASS", AuthRef::Basic { user, password: env("PASS") }),
            (
                "basic:env:USER:env:PASS",
                AuthRef::Basic { user: User::Env("USER".to_owned()), password: env("PASS") },
            ),
            ("query:api_key:env:KEY", AuthRef::Query { name: "api_key".to_owned(), key: env("KEY") }),
            (
                "header:X-Api-Key:env:KEY",
                AuthRef::Header { name: HeaderName::from_static("x-api-key"), key: env("KEY") },
            ),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<AuthRef>().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        for text in
            ["bearer:made-up-token", "basic:ada:made-up-token", "header:X-Key:made-up-token", "made-up-token"]
        {
            let refused = text.parse::<AuthRef>().unwrap_err().report();
            assert!(refused.contains("env:NAME") && !refused.contains("made-up"), "{refused}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = env("MADE_UP").read(&Env::default()).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable MADE_UP is not set");
    }
}
