//! Where a value stands.

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The line of the value at a path of keys, counted from 1; 0 if it is not there. The library tells places with
/// errors only, so an error is made there.
pub(super) fn line_of(text: &str, path: &[&str]) -> usize {
    let found = At(path).deserialize(serde_yaml::Deserializer::from_str(text));
    found
        .err()
        .and_then(|error| error.location())
        .map_or(0, |place| place.line())
}

struct At<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of the path")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            return Err(A::Error::custom("here"));
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == *first {
                return map.next_value_seed(At(rest));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
