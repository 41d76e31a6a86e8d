//! A user and a password as HTTP Basic writes them (RFC 7617).

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::{Error, Secret};

/// `user:password` in base64, a secret of its own.
pub(super) fn credentials(user: &str, password: &Secret) -> Result<Secret, Error> {
    if user.contains(':') {
        return Err(Error::configuration("the user of basic auth has a colon")
            .advise("give the user and the password apart; only the password may have colons"));
    }
    Ok(Secret::new(pair(user, password.expose())))
}

pub(super) fn pair(user: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{user}:{password}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Redactor};

    #[test]
    fn a_user_with_a_colon_is_refused() {
        let error = credentials("a:b", &"made-up-pässword".into()).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
    }

    #[test]
    fn the_encoded_pair_is_known_to_the_redactor() {
        let pair = credentials("made-up-user", &"made-up-pässword".into()).unwrap();
        assert_eq!(Redactor::global().redact(&format!("Basic {}", pair.expose())), "Basic ***");
    }
}
