//! Mutual TLS: a server that asks for a certificate gets the one it may ask for, and an OAuth 2.0 client shows itself by it.

use std::net::SocketAddr;
use std::sync::Arc;

use nuncio_client::auth::Auth;
use nuncio_client::auth::oauth2::{self, ClientAuth, OAuth2};
use nuncio_client::wire::{Identity, Settings};
use nuncio_client::{Client, Kind};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const AUTHORITY: &[u8] = include_bytes!("../certificates/ca.pem");

/// A server that talks only to those whose certificate is of the authority, and answers everything with a token.
async fn server() -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).expect("a certificate")).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../certificates/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../certificates/server.key"));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("an authority"))
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("a key"))
        .expect("they go together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap_or_default();
                let body = r#"{"access_token":"made-up-token"}"#;
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                if read > 0 {
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    address
}

fn settings(identity: Option<Identity>) -> Settings {
    let mut settings = Settings::default();
    settings.root_certificates = vec![AUTHORITY.to_vec()];
    settings.identity = identity;
    settings
}

fn identity() -> Identity {
    let certificate = include_bytes!("../certificates/client.pem");
    let key = include_str!("../certificates/client.key");
    Identity::from_pem(certificate, &key.into()).expect("they go together")
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_it() {
    let url = format!("https://{}", server().await);
    let shown = Client::builder().base_url(&url).wire(settings(Some(identity()))).build().expect("valid");
    shown.get("/").send().await.expect("answered");

    let anonymous = Client::builder().base_url(&url).wire(settings(None)).build().expect("valid");
    let error = anonymous.get("/").send().await.expect_err("not let in");
    assert_eq!(error.kind(), Kind::Connect);
    assert!(error.is_lasting() && error.to_string().contains("client certificate"), "{error}");
}

#[tokio::test]
async fn a_client_shows_itself_to_the_token_endpoint_by_its_certificate() {
    let url = format!("https://{}", server().await);
    let token_url: url::Url = format!("{url}/token").parse().expect("a URL");
    let client = oauth2::Client::new(token_url, "made-up-client").auth(ClientAuth::Tls);
    let client = Client::builder()
        .base_url(&url)
        .auth(Auth::oauth2(OAuth2::client_credentials(client)))
        .wire(settings(Some(identity())))
        .build()
        .expect("valid");
    client.get("/").send().await.expect("answered");
}
