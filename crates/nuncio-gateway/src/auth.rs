//! Who may ask for what.

use http::{HeaderMap, header};

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
        return if app.options.listen.ip().is_loopback() && is_local(headers) {
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
    if scopes.contains(&scope) || scopes.contains(&Scope::Admin) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("the token needs the scope {scope}")))
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let is_ours = matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let is_sent_by_another =
        [header::ORIGIN, header::FORWARDED].iter().any(|name| headers.contains_key(name))
            || headers.contains_key("x-forwarded-for");
    is_ours && !is_sent_by_another
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local_with(pairs: &[(&'static str, &str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
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
        assert!(!is_local_with(&[("host", "localhost:8480"), ("origin", "https://example.test")]));
        assert!(!is_local_with(&[("host", "localhost:8480"), ("x-forwarded-for", "198.51.100.1")]));
        assert!(!is_local_with(&[]));
    }
}
