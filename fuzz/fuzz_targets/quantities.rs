//! Durations, rates and refills: what is read is written and read again, and both kinds of rate mean the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::limit::Refill;
use nuncio_service::model::{Rate, Span};

fuzz_target!(|text: &str| {
    if let Ok(Span(span)) = text.parse::<Span>() {
        let written = Span(span).to_string();
        let Span(again) = written.parse().expect("a number and its unit");
        // Whole milliseconds are written, and the way is by a floating point number.
        assert!(
            again.abs_diff(span).as_secs_f64() <= 0.001 + span.as_secs_f64() * 1e-12,
            "{written} for {span:?}"
        );
    }
    let refill = text.parse::<Refill>();
    if let Ok(refill) = &refill {
        assert_eq!(refill.to_string().parse::<Refill>().expect("it was written"), *refill);
        assert_eq!(text.parse::<Rate>().expect("a refill is a rate").to_string(), refill.to_string());
    }
    if let Ok(rate) = text.parse::<Rate>() {
        assert_eq!(rate.to_string().parse::<Rate>().expect("it was written"), rate);
    }
});
