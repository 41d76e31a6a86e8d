//! Prints `services/service.schema.json`, for `cargo xtask generate`.

fn main() {
    println!("{:#}", nuncio_service::service_schema());
}
