//! What a refused TLS handshake says: what is wrong and what to do about it.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};

use crate::error::chain;
use crate::{Error, Evidence, Kind};

/// The error for a handshake that comes to the same however often it is tried; nothing for another failure.
pub(super) fn refusal(error: &(dyn StdError + 'static)) -> Option<Error> {
    let problem = find(error)?;
    let (message, advice) = match problem {
        TlsError::InvalidCertificate(problem) => certificate(problem),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "the server does not speak TLS at this port".to_owned(),
            "check the port, and whether the URL should begin with http://",
        ),
        TlsError::PeerIncompatible(_) => (
            "the server speaks no version or cipher of TLS that is safe to use".to_owned(),
            "the server must offer TLS 1.2 or 1.3 with a current cipher",
        ),
        TlsError::AlertReceived(alert) => {
            let (message, advice) = shown(*alert)?;
            (message.to_owned(), advice)
        }
        _ => return None,
    };
    let evidence = match problem {
        // In TLS 1.3 a client may write its request before it learns that the server has not let it in.
        TlsError::AlertReceived(_) => Evidence::Rejected,
        _ => Evidence::NeverSent,
    };
    Some(Error::new(Kind::Connect, message).advise(advice).evidence_is(evidence).lasting())
}

/// What the server thinks of the certificate that it was shown or not shown (RFC 8446, section 6.2).
fn shown(alert: AlertDescription) -> Option<(&'static str, &'static str)> {
    use AlertDescription as Alert;
    Some(match alert {
        Alert::CertificateRequired => (
            "the server wants to see a client certificate",
            "give the one that the service issued (on the command line: --cert FILE)",
        ),
        // So say servers of TLS 1.2 that were shown no certificate, and those that share no cipher.
        Alert::HandshakeFailure => (
            "the server ended the handshake",
            "if it wants to see a client certificate, give the one that the service issued (on the command line: --cert FILE)",
        ),
        Alert::UnknownCA => (
            "the server does not trust the authority of the client certificate",
            "check that the certificate is the one that this service issued, followed by those that lead to its authority",
        ),
        Alert::CertificateExpired => {
            ("the server says that the client certificate has expired", "renew the certificate")
        }
        Alert::CertificateRevoked => (
            "the server says that the client certificate was revoked",
            "ask the service for a new certificate",
        ),
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied => (
            "the server does not take the client certificate",
            "check that the certificate is the one that this service issued for you",
        ),
        _ => return None,
    })
}

fn certificate(problem: &CertificateError) -> (String, &'static str) {
    use CertificateError as Problem;
    match problem {
        Problem::NotValidForNameContext { expected, .. } => (
            format!("the server's certificate is not for {}", expected.to_str()),
            "check the host name: the certificate is for another",
        ),
        Problem::NotValidForName => (
            "the server's certificate is for another host".to_owned(),
            "check the host name: the certificate is for another",
        ),
        Problem::Expired | Problem::ExpiredContext { .. } => (
            "the server's certificate has expired".to_owned(),
            "the server must renew it; if it is new, check the clock of this machine",
        ),
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => {
            ("the server's certificate is not valid yet".to_owned(), "check the clock of this machine")
        }
        Problem::Revoked => (
            "the server's certificate was revoked".to_owned(),
            "do not trust this server; its operator must get a new certificate",
        ),
        Problem::UnknownIssuer => (
            "the server's certificate comes from an authority that is not trusted here".to_owned(),
            "if you trust the authority, add its certificate to those of the system, or give it as PEM (on the command line: --cacert FILE)",
        ),
        _ => (
            "the server's certificate cannot be used".to_owned(),
            "the server's operator must replace the certificate",
        ),
    }
}

fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    chain(error).find_map(within)
}

/// An `io::Error` passes for what it wraps, often another one, and counts as its cause only what is below that.
fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => within(io.get_ref()?),
        None => error.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: TlsError) -> Option<Error> {
        // As the connector hands it up.
        refusal(&io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    #[test]
    fn each_problem_of_a_certificate_is_named() {
        let table = [
            (CertificateError::Expired, "the server's certificate has expired"),
            (CertificateError::NotValidForName, "the server's certificate is for another host"),
            (
                CertificateError::UnknownIssuer,
                "the server's certificate comes from an authority that is not trusted here",
            ),
            (CertificateError::BadEncoding, "the server's certificate cannot be used"),
        ];
        for (problem, message) in table {
            let error = refused(TlsError::InvalidCertificate(problem)).unwrap();
            assert_eq!(error.to_string(), message);
            assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::NeverSent));
            assert!(error.is_lasting() && error.advice().is_some(), "{message}");
        }
    }

    #[test]
    fn a_server_that_does_not_take_the_client_certificate_is_not_asked_again() {
        for (alert, says) in [
            (AlertDescription::CertificateRequired, "wants to see a client certificate"),
            (AlertDescription::HandshakeFailure, "ended the handshake"),
            (AlertDescription::UnknownCA, "does not trust the authority of the client certificate"),
            (AlertDescription::CertificateExpired, "client certificate has expired"),
            (AlertDescription::AccessDenied, "does not take the client certificate"),
        ] {
            let error = refused(TlsError::AlertReceived(alert)).unwrap();
            assert!(error.to_string().contains(says), "{error}");
            // The request may be on its way already, but it was not let in.
            assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::Rejected));
            assert!(error.is_lasting() && error.advice().is_some(), "{alert:?}");
        }
        assert!(refused(TlsError::AlertReceived(AlertDescription::InternalError)).is_none());
    }

    #[test]
    fn a_connection_that_broke_during_the_handshake_is_no_refusal() {
        assert!(refusal(&io::Error::from(io::ErrorKind::ConnectionReset)).is_none());
        assert!(refused(TlsError::HandshakeNotComplete).is_none());
    }
}
