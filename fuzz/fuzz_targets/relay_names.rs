//! Names of events, origins and deliveries, and headers: what is read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_relay::{DeliveryId, EventId, Headers, Origin};
use nuncio_webhook::Headers as _;

fuzz_target!(|data: &[u8]| {
    if let Ok(bytes) = data.try_into() {
        let id = EventId::from_bytes(bytes);
        assert_eq!((id.to_bytes(), id.to_string().parse()), (bytes, Ok(id)));
    }
    let map = nuncio_fuzz::headers(data);
    let headers = Headers::from(&map);
    for name in map.keys() {
        let values: Vec<_> = map.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
        assert_eq!(headers.values(name.as_str()), values);
        assert_eq!(headers.get(name.as_str()), values.first().copied());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string(), text);
    }
    if let Ok(id) = text.parse::<DeliveryId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
});
