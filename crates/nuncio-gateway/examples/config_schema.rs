//! Prints `docs/relay.schema.json`, for `cargo xtask generate`.

fn main() {
    println!("{:#}", nuncio_gateway::config_schema());
}
