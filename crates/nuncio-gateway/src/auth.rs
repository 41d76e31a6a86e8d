//! Who may ask for what.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, header};

use crate::app::App;
use crate::problem::Problem;
use crate::token::Scope;

/// Whether the bearer of what `headers` show may do what `scope` says.
///
/// Without any token, which only a gateway that listens on this machine can be, its user may do all. Its browser may not be made to by a page from
/// elsewhere: that shows an `Origin`, or asks for a name that is not this machine's. Nor may a proxy in front of it open it to all the world.
pub(crate) fn check(app: &App, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
    let current = app.registry.current();
    if current.tokens.is_empty() {
        return if is_open(app, headers) && !headers.contains_key(header::ORIGIN) {
            Ok(())
        } else {
            Err(Problem::unauthorized(
                "this is open to programs of this machine alone while there is no token",
            ))
        };
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let Some(token) = token else {
        return Err(Problem::unauthorized("a token is needed: Authorization: Bearer TOKEN"));
    };
    let Some(scopes) = current.tokens.scopes(token) else {
        return Err(Problem::unauthorized("this token is not known"));
    };
    may(scopes, scope)
}

/// Whether these scopes are enough for what `scope` says.
pub(crate) fn may(scopes: &BTreeSet<Scope>, scope: Scope) -> Result<(), Problem> {
    if scopes.contains(&scope) || scopes.contains(&Scope::Admin) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("the token needs the scope {scope}")))
}

/// Whether somebody of this machine asks, who needs no token where there is none.
pub(crate) fn is_open(app: &App, headers: &HeaderMap) -> bool {
    app.options.listen.ip().is_loopback() && is_local(headers)
}

/// Whether this machine is asked by its own name, and no proxy asks for somebody else.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let is_ours = matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    is_ours && !headers.contains_key(header::FORWARDED) && !headers.contains_key("x-forwarded-for")
}

/// Whether no page from elsewhere had a browser send this: `hosts` are the names that we are asked by, with their ports.
pub(crate) fn is_from_our_page(headers: &HeaderMap, hosts: &[&str]) -> bool {
    let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap_or_default());
    let is_ours = |origin: &str| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    };
    text(header::ORIGIN).is_none_or(is_ours)
        && text(HeaderName::from_static("sec-fetch-site"))
            .is_none_or(|site| matches!(site, "same-origin" | "none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local_with(pairs: &[(&'static str, &str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        is_local(&headers.collect())
    }

    #[test]
    fn a_program_of_this_machine_is_local() {
        for host in ["localhost:8480", "localhost", "127.0.0.1:8480", "[::1]:8480", "[::1]"] {
            assert!(is_local_with(&[("host", host)]), "{host}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_not() {
        assert!(!is_local_with(&[("host", "rebound.example.test:8480")]));
        assert!(!is_local_with(&[("host", "localhost.example.test")]));
        assert!(!is_local_with(&[("host", "localhost:8480"), ("x-forwarded-for", "198.51.100.1")]));
        assert!(!is_local_with(&[]));
    }

    #[test]
    fn what_a_page_from_elsewhere_has_sent_is_known_by_its_origin() {
        let is_ours = |pairs: &[(&'static str, &str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            is_from_our_page(&headers, &["localhost:8480", "hooks.example.test"])
        };
        for ours in ["http://localhost:8480", "https://hooks.example.test"] {
            assert!(is_ours(&[("origin", ours), ("sec-fetch-site", "same-origin")]), "{ours}");
        }
        assert!(is_ours(&[]), "a program");
        for other in
            ["http://localhost:9000", "https://example.test", "null", "https://hooks.example.test.evil.test"]
        {
            assert!(!is_ours(&[("origin", other)]), "{other}");
        }
        assert!(!is_ours(&[("sec-fetch-site", "same-site")]));
        assert!(!is_ours(&[("sec-fetch-site", "cross-site")]));
    }
}
