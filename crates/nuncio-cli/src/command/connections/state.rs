//! Whether a connection can be used.

use std::fmt;
use std::time::{Duration, SystemTime};

use nuncio_credentials::StoredConnection;
use nuncio_service::{Env, Service};
use serde_json::{Value, json};

/// What a call with a connection would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    /// The access token is good for this long.
    ExpiresIn(Duration),
    /// The access token is over, and the next call gets another.
    Expired,
    NeedsLogin(String),
    /// Values that are neither stored nor set.
    Lacks(Vec<String>),
    NoServiceFile,
}

impl State {
    pub(crate) fn of(
        connection: &StoredConnection,
        service: Option<&Service>,
        environment: &Env,
        now: SystemTime,
    ) -> Self {
        let Some(service) = service else { return Self::NoServiceFile };
        let is_known =
            |name: &String| connection.variables.contains_key(name) || environment.get(name).is_some();
        let lacking: Vec<String> = service.variables().into_iter().filter(|name| !is_known(name)).collect();
        if !lacking.is_empty() {
            return Self::Lacks(lacking);
        }
        let Some(tokens) = &connection.tokens else {
            return match service.auth.is_login() {
                true => Self::NeedsLogin("nobody has logged in yet".to_owned()),
                false => Self::Ready,
            };
        };
        if let Some(reason) = &tokens.needs_login {
            return Self::NeedsLogin(reason.clone());
        }
        match tokens.expires_at.map(|end| end.duration_since(now)) {
            None => Self::Ready,
            Some(Ok(left)) => Self::ExpiresIn(left),
            Some(Err(_)) if service.auth.is_login() && tokens.refresh_token.is_none() => {
                Self::NeedsLogin("the token is over, and the provider gave no refresh token".to_owned())
            }
            Some(Err(_)) => Self::Expired,
        }
    }

    /// A stable name for programs.
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::ExpiresIn(_) => "expires",
            Self::Expired => "expired",
            Self::NeedsLogin(_) => "needs_login",
            Self::Lacks(_) => "incomplete",
            Self::NoServiceFile => "no_service_file",
        }
    }

    pub(crate) fn object(&self) -> Value {
        json!({ "name": self.name(), "explained": self.to_string() })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::ExpiresIn(left) => write!(f, "token expires in {}", rough(*left)),
            Self::Expired => f.write_str("token is over, the next call gets another"),
            Self::NeedsLogin(reason) => write!(f, "needs login: {reason}"),
            Self::Lacks(names) => write!(f, "lacks {}", names.join(", ")),
            Self::NoServiceFile => f.write_str("no service file"),
        }
    }
}

/// In the largest unit of which there are two.
fn rough(time: Duration) -> String {
    let secs = time.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(length, _)| secs >= 2 * length);
    unit.map_or_else(|| format!("{secs} s"), |(length, name)| format!("{} {name}", secs / length))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use nuncio_client::auth::oauth2::Tokens;
    use nuncio_credentials::Account;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn state(stored: &[&str], tokens: Option<Tokens>) -> String {
        let text = "service: shop\nbase_url: https://shop.example.com\nauth: { bearer: '{{ env.A }}' }\noperations: {}";
        let service = Service::from_yaml(text, "shop.yaml").unwrap();
        let connection = StoredConnection {
            account: Account::new("shop", "default").unwrap(),
            variables: stored.iter().map(|name| ((*name).to_owned(), "made-up".into())).collect(),
            tokens,
            created: UNIX_EPOCH,
            updated: UNIX_EPOCH,
        };
        State::of(&connection, Some(&service), &Env::default(), UNIX_EPOCH + NOW).to_string()
    }

    #[test]
    fn a_connection_is_ready_when_nothing_is_missing() {
        assert_eq!(state(&["A"], None), "ready");
        assert_eq!(state(&[], None), "lacks A");
    }

    #[test]
    fn the_end_of_a_token_is_told() {
        let ends = |secs| {
            Some(Tokens {
                expires_at: Some(UNIX_EPOCH + NOW + Duration::from_secs(secs)),
                ..Tokens::default()
            })
        };
        assert_eq!(state(&["A"], ends(119)), "token expires in 119 s");
        assert_eq!(state(&["A"], ends(7199)), "token expires in 119 m");
        assert_eq!(state(&["A"], ends(300_000)), "token expires in 3 d");
        let over = Some(Tokens { expires_at: Some(UNIX_EPOCH), ..Tokens::default() });
        assert_eq!(state(&["A"], over), "token is over, the next call gets another");
    }

    #[test]
    fn a_lost_login_is_told_with_its_reason() {
        let lost = Tokens { needs_login: Some("made-up reason".to_owned()), ..Tokens::default() };
        assert_eq!(state(&["A"], Some(lost)), "needs login: made-up reason");
    }
}
