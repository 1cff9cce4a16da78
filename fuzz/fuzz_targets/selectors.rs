//! Selectors: what was read is printed so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::selector::{FieldSelector, LabelSelector};

fuzz_target!(|input: &str| {
    if let Ok(selector) = LabelSelector::parse(input) {
        selector.matches(|_| Some("1"));
        assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector));
    }
    if let Ok(selector) = FieldSelector::parse(input) {
        assert_eq!(FieldSelector::parse(&selector.to_string()), Ok(selector));
    }
});
