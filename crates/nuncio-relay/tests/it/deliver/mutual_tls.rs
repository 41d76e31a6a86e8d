//! A receiver that talks only to those who show a certificate.

use std::sync::Arc;

use nuncio_relay::Fault;
use nuncio_relay::deliver::Targets;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{attempt, endpoint, event, fault, http, reason, settings};

macro_rules! certificate {
    ($name:literal) => {
        include_str!(concat!("../../../../nuncio-client/tests/certificates/", $name))
    };
}

/// Its URL. It answers 204 to whoever it lets in.
async fn receiver() -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pem = |text: &str| CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pem(certificate!("ca.pem"))).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from_pem_slice(certificate!("server.key").as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![pem(certificate!("server.pem"))], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                if stream.read(&mut [0; 8192]).await.unwrap_or_default() > 0 {
                    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_receiver_that_demands_a_certificate_gets_the_one_of_the_endpoint_and_no_other() {
    let url = receiver().await;
    let mut settings = settings();
    settings.wire.root_certificates = vec![certificate!("ca.pem").into()];
    let targets = Targets::new(settings);
    let try_with = async |more: Value| attempt(&targets, &endpoint(http(&url, more)), &event("{}"), 1).await;

    let shown = [certificate!("client.pem"), certificate!("client.key")].concat();
    let outcome = try_with(json!({ "client_certificate": shown })).await;
    assert_eq!((fault(&outcome), outcome.status), (None, Some(204)), "{}", reason(&outcome));

    let outcome = try_with(json!({})).await;
    assert_eq!((fault(&outcome), outcome.status), (Some(Fault::Unavailable), None));
    assert!(reason(&outcome).contains("certificate"), "{}", reason(&outcome));
}
