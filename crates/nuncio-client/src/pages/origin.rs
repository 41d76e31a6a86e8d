//! Credentials never follow a next link to another origin.

use url::Url;

use crate::{Error, Kind};

/// The origins that a next link may lead to.
#[derive(Debug)]
pub(super) struct Origins {
    own: Url,
    trusted: Vec<Url>,
}

impl Origins {
    pub(super) fn new(own: Url, trusted: Vec<Url>) -> Self {
        Self { own, trusted }
    }

    /// An error unless `next` has the origin (RFC 6454) of the first request or a trusted one. A link from HTTPS to HTTP is never
    /// followed.
    pub(super) fn check(&self, next: &Url) -> Result<(), Error> {
        let (from, to) = (self.own.origin(), next.origin());
        let message = format!(
            "the next link leads from {} to {}",
            from.ascii_serialization(),
            to.ascii_serialization()
        );
        if self.own.scheme() == "https" && next.scheme() != "https" {
            return Err(Error::new(Kind::Pages, message).advise(
                "credentials do not leave HTTPS; a service behind a proxy may have to be told its own URL",
            ));
        }
        if from == to || self.trusted.iter().any(|trusted| trusted.origin() == to) {
            return Ok(());
        }
        Err(Error::new(Kind::Pages, message).advise(
            "credentials do not follow to another origin; if both are the same service, call it by the URL that its links have",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(next: &str) -> Result<(), Error> {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let trusted = vec![url("https://eu.example.com"), url("http://api.example.com")];
        Origins::new(url("https://api.example.com/items"), trusted).check(&url(next))
    }

    #[test]
    fn only_the_own_and_trusted_origins_are_followed() {
        for next in [
            "https://api.example.com/other?page=2",
            "https://api.example.com:443/",
            "https://eu.example.com/x",
        ] {
            check(next).expect(next);
        }
        for next in [
            "https://evil.example/items",
            "https://api.example.com:8443/",
            "https://api.example.com.evil.example/",
        ] {
            assert_eq!(check(next).expect_err(next).kind(), Kind::Pages);
        }
        let error = check("https://evil.example/items").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the next link leads from https://api.example.com to https://evil.example"
        );
    }

    #[test]
    fn https_is_never_left() {
        let error = check("http://api.example.com/items?page=2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the next link leads from https://api.example.com to http://api.example.com"
        );
    }
}
