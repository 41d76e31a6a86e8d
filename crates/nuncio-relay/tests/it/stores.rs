//! Every store keeps the contract.

mod memory {
    use nuncio_relay::store::MemoryStore;

    nuncio_relay::store_suite!(MemoryStore::new());
}

mod sqlite {
    use nuncio_relay::store::SqliteStore;

    nuncio_relay::store_suite!({
        let folder = tempfile::tempdir().unwrap();
        (SqliteStore::open(&folder.path().join("store.db")).unwrap(), folder)
    });
}
