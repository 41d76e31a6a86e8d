//! Prints `docs/openapi.json`, for `cargo xtask generate`.

fn main() {
    println!("{:#}", nuncio_gateway::openapi());
}
