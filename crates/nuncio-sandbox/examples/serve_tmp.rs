use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Catalog, Env};
#[tokio::main]
async fn main() {
    let catalog = Catalog::built_in();
    let services =
        ["stripe", "slack", "sendgrid", "example"].iter().map(|n| catalog.get(n).unwrap()).collect();
    let s = Sandbox::start(Options {
        services,
        enforce_limits: false,
        env: Env::new(|n| std::env::var(n).ok()),
        ..Options::default()
    })
    .await
    .unwrap();
    for n in ["stripe", "slack", "sendgrid", "example"] {
        println!("{n} {}", s.url(n).unwrap());
    }
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
}
