//! Borrowed views of the API server's JSON: read what is needed, leave the rest as bytes.
//!
//! A `serde_json::Value` of a pod takes ten times the pod's own bytes; everything here points into the response
//! instead.

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

/// A JSON string, borrowed unless it has escapes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// The members of a JSON object in their order, the values unread.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of a JSON object; an error for any other value.
    pub(crate) fn of(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        serde_json::from_str(raw.get())
    }
    /// The value of the first member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(key, _)| &**key == name);
        found.map(|(_, value)| *value)
    }
    /// Reads a structure out of the members of these names; the others are not read again.
    pub(super) fn read<T: Deserialize<'a>>(&self, names: &[&str]) -> Result<T, serde_json::Error> {
        let of_it = self.0.iter().filter(|(name, _)| names.contains(&&**name));
        T::deserialize(MapDeserializer::new(
            of_it.map(|(name, value)| (&**name, *value)),
        ))
    }
    /// Drops the members of that name; true if there were any.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(key, _)| &**key != name);
        self.0.len() < before
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Looks at the members of a JSON object in their order until `look` has seen enough: what follows is not even scanned,
/// and what a reader wants stands at the beginning of most objects, while their bulk follows.
pub(super) fn members_until<'a>(
    json: &'a [u8],
    look: impl FnMut(&str, &'a RawValue) -> ControlFlow<()>,
) -> Result<(), serde_json::Error> {
    let (mut look, mut enough) = (look, false);
    let looked = Look(|name: &str, value: &'a RawValue| {
        enough = look(name, value).is_break();
        enough
    })
    .deserialize(&mut serde_json::Deserializer::from_slice(json));
    match looked {
        Err(_) if enough => Ok(()),
        looked => looked,
    }
}

/// Reads members until its function says that it is enough, which is an error to serde: there are more.
struct Look<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue) -> bool> DeserializeSeed<'de> for Look<F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &'de RawValue) -> bool> Visitor<'de> for Look<F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            if (self.0)(&name, value) {
                return Err(serde::de::Error::custom("enough"));
            }
        }
        Ok(())
    }
}

/// Writes a JSON object member by member.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Opens an object at the end of `out`.
    pub(crate) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }
    /// A member whose value is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.value(name).extend_from_slice(json.as_bytes());
    }
    /// A member whose value is a string.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        push_string(self.value(name), text);
    }
    /// Writes the name of a member; its value is to be appended to what comes back.
    pub(crate) fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        push_string(self.out, name);
        self.out.push(b':');
        self.out
    }
    /// Closes the object.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Appends a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

/// What is read of an object's metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) creation_timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) resource_version: Option<Text<'a>>,
}

impl<'a> Metadata<'a> {
    /// What the members of an object's `metadata` say.
    pub(super) fn of(members: &Members<'a>) -> Result<Self, serde_json::Error> {
        members.read(&["name", "namespace", "creationTimestamp", "resourceVersion"])
    }

    /// The object's key in a stream: `namespace/name`, or `name`.
    pub(super) fn key(&self) -> bytes::Bytes {
        match self.namespace.as_deref() {
            None | Some("") => self.name.as_bytes().to_vec().into(),
            Some(namespace) => format!("{namespace}/{}", &*self.name).into(),
        }
    }
}

/// What is read of a list's metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMetadata {
    #[serde(default)]
    pub(super) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(super) next: String,
}

/// An RFC 3339 timestamp as Kubernetes writes it, in ms since 1970.
pub(super) fn instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_bytes() {
        let raw: &RawValue =
            serde_json::from_str(r#"{"b": [1, 2.50],"a":"x\"y","\u0063":null}"#).unwrap();
        let mut members = Members::of(raw).unwrap();
        assert_eq!(members.get("b").unwrap().get(), "[1, 2.50]");
        assert!(members.remove("c") && !members.remove("c"));
        let mut out = Vec::new();
        let mut object = ObjectWriter::open(&mut out);
        for (name, value) in &members.0 {
            object.raw(name, value.get());
        }
        object.text("q\"", "tab\t");
        object.close();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"b":[1, 2.50],"a":"x\"y","q\"":"tab\t"}"#
        );
    }

    #[test]
    fn members_are_looked_at_until_it_is_enough() {
        let seen = |json: &str, last: &str| {
            let mut seen = Vec::new();
            members_until(json.as_bytes(), |name, value| {
                seen.push(format!("{name}={}", value.get()));
                match name == last {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
            .map(|()| seen.join(" "))
            .map_err(|error| error.is_eof())
        };
        let json = r#"{"a":1,"b":{"c":[2]},"d":"x"}"#;
        assert_eq!(seen(json, "b").unwrap(), r#"a=1 b={"c":[2]}"#);
        assert_eq!(seen(json, "d").unwrap(), r#"a=1 b={"c":[2]} d="x""#);
        assert_eq!(seen(json, "e").unwrap(), r#"a=1 b={"c":[2]} d="x""#);
        assert_eq!(
            seen(&json[..20], "a").unwrap(),
            "a=1",
            "the rest is not read"
        );
        assert_eq!(seen(&json[..20], "d"), Err(true), "cut off before it");
        assert_eq!(seen("[1]", "a"), Err(false));
    }

    #[test]
    fn other_values_have_no_members() {
        for value in ["[]", "1", "null", r#""x""#] {
            assert!(
                Members::of(serde_json::from_str(value).unwrap()).is_err(),
                "{value}"
            );
        }
    }

    #[test]
    fn a_key_is_namespace_and_name() {
        let metadata: Metadata =
            serde_json::from_str(r#"{"name":"web","namespace":"shop"}"#).unwrap();
        assert_eq!(metadata.key(), "shop/web");
        let metadata: Metadata = serde_json::from_str(r#"{"name":"node-1"}"#).unwrap();
        assert_eq!(metadata.key(), "node-1");
    }
}
