//! Names, checked when they are made: clusters, users, sessions, topic prefixes.
//!
//! A name is text that people read on a screen, so nothing in it may hide, reorder or break what stands beside it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name under which a hub serves; no syncer may take it.
pub const HUB: &str = "hub";

/// The segment that stands for "every cluster", "no user" and "no namespace" in topics.
pub const NONE: &str = "-";

/// The longest name of a cluster or a user, in bytes.
pub const MAX_NAME: usize = 253;

/// The longest topic prefix, in bytes: what leaves a live topic below the 256 bytes that a broker may allow.
pub const MAX_PREFIX: usize = 40;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// There is nothing in it.
    #[error("{what} is empty: give it at least one character")]
    Empty {
        /// What was to be named.
        what: &'static str,
    },
    /// It is longer than its kind may be.
    #[error("{what} is {length} bytes long: at most {max} are allowed")]
    TooLong {
        /// What was to be named.
        what: &'static str,
        /// How long the text is, in bytes.
        length: usize,
        /// How long it may be, in bytes.
        max: usize,
    },
    /// It has a character that cannot be seen, or that changes how its neighbours are shown.
    #[error("{what} contains the invisible character U+{:04X}: remove it", u32::from(*character))]
    Invisible {
        /// What was to be named.
        what: &'static str,
        /// The first such character.
        character: char,
    },
    /// It begins or ends with white space.
    #[error("{what} begins or ends with white space: remove it")]
    WhiteSpace {
        /// What was to be named.
        what: &'static str,
    },
    /// It is the word that stands for no name.
    #[error("{what} is \"-\", which stands for none: choose another")]
    Reserved {
        /// What was to be named.
        what: &'static str,
    },
    /// It has a character that MQTT reads as a wildcard.
    #[error("{what} contains \"{character}\", an MQTT wildcard: remove it")]
    Wildcard {
        /// What was to be named.
        what: &'static str,
        /// The first such character.
        character: char,
    },
    /// A topic prefix that is not one or two segments.
    #[error(
        "topic prefix {prefix:?} must be one or two segments, such as /signal or fleet/signal, without an empty segment, a last slash or a first $"
    )]
    Segments {
        /// The prefix as given.
        prefix: String,
    },
    /// A text that is no session.
    #[error("a session is 32 hexadecimal digits")]
    Session,
}

/// A cluster's name as its owner wrote it: printable text of up to 253 bytes, never `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(Arc<str>);

impl ClusterName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        const WHAT: &str = "the cluster's name";
        check_text(WHAT, name, MAX_NAME)?;
        if name == NONE {
            return Err(InvalidName::Reserved { what: WHAT });
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A broker's user as its ACL sees it: printable text of up to 253 bytes without `+` and `#`, or nobody.
///
/// Wildcards are refused because brokers put the name into topic filters (`%u`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        const WHAT: &str = "the user's name";
        check_text(WHAT, name, MAX_NAME)?;
        check_no_wildcard(WHAT, name)?;
        if name == NONE {
            return Err(InvalidName::Reserved { what: WHAT });
        }
        Ok(Self(name.into()))
    }

    /// Nobody in particular: a broker without users.
    pub fn anonymous() -> Self {
        Self(NONE.into())
    }

    /// The name, `-` for nobody.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for UserName {
    fn default() -> Self {
        Self::anonymous()
    }
}

/// One consumer process: 128 random bits, fresh for each (rule R8: a session is never used again).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

impl SessionId {
    /// The session of these random bits.
    pub fn new(random: u128) -> Self {
        Self(random)
    }
}

/// A topic prefix: one or two segments, a first slash kept as it was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// Checks a prefix.
    pub fn new(prefix: &str) -> Result<Self, InvalidName> {
        const WHAT: &str = "the topic prefix";
        check_text(WHAT, prefix, MAX_PREFIX)?;
        check_no_wildcard(WHAT, prefix)?;
        let segments = prefix.strip_prefix('/').unwrap_or(prefix);
        let malformed = prefix.starts_with('$')
            || segments.split('/').count() > 2
            || segments.split('/').any(str::is_empty);
        if malformed {
            return Err(InvalidName::Segments {
                prefix: prefix.to_owned(),
            });
        }
        Ok(Self(prefix.into()))
    }

    /// Where consumers write: `/signal`.
    pub fn signal() -> Self {
        Self("/signal".into())
    }

    /// Where sources write: `/payload`.
    pub fn payload() -> Self {
        Self("/payload".into())
    }

    /// The prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character can be seen and leaves its neighbours as they are.
///
/// Not so: controls, line and paragraph separators, everything that reorders (bidi), joins or has no width, and
/// Unicode's non-characters, which MQTT discourages.
pub fn is_visible(character: char) -> bool {
    let code = u32::from(character);
    let invisible = character.is_control()
        || code & 0xfffe == 0xfffe
        || matches!(
            code,
            0x00ad
                | 0x034f
                | 0x061c
                | 0x115f..=0x1160
                | 0x17b4..=0x17b5
                | 0x180b..=0x180f
                | 0x200b..=0x200f
                | 0x2028..=0x202e
                | 0x2060..=0x206f
                | 0x3164
                | 0xfdd0..=0xfdef
                | 0xfe00..=0xfe0f
                | 0xfeff
                | 0xffa0
                | 0xfff0..=0xfffb
                | 0xe0000..=0xe0fff
        );
    !invisible
}

fn check_text(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty { what });
    }
    if text.len() > max {
        let length = text.len();
        return Err(InvalidName::TooLong { what, length, max });
    }
    if let Some(character) = text.chars().find(|c| !is_visible(*c)) {
        return Err(InvalidName::Invisible { what, character });
    }
    if text.trim() != text {
        return Err(InvalidName::WhiteSpace { what });
    }
    Ok(())
}

fn check_no_wildcard(what: &'static str, text: &str) -> Result<(), InvalidName> {
    match text.chars().find(|c| matches!(c, '+' | '#')) {
        Some(character) => Err(InvalidName::Wildcard { what, character }),
        None => Ok(()),
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClusterName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl FromStr for UserName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl FromStr for Prefix {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl FromStr for SessionId {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let hexadecimal = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(hexadecimal) {
            return Err(InvalidName::Session);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| InvalidName::Session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason<T: fmt::Debug>(result: Result<T, InvalidName>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_any_visible_text() {
        for name in [
            "cluster1",
            HUB,
            "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
            "ns/host:6443/kube:admin",
            "東京 #1 + 50%~",
            &"x".repeat(MAX_NAME),
        ] {
            assert_eq!(ClusterName::new(name).unwrap().as_str(), name);
        }
        assert_eq!(UserName::new("Zoë/x%").unwrap().to_string(), "Zoë/x%");
        assert_eq!(UserName::default().as_str(), "-");
    }

    #[test]
    fn a_name_that_cannot_be_trusted_on_a_screen_is_refused() {
        let cases = [
            (
                "",
                "the cluster's name is empty: give it at least one character",
            ),
            (
                "-",
                "the cluster's name is \"-\", which stands for none: choose another",
            ),
            (
                " a",
                "the cluster's name begins or ends with white space: remove it",
            ),
            (
                "a\u{2003}",
                "the cluster's name begins or ends with white space: remove it",
            ),
            (
                "a\nb",
                "the cluster's name contains the invisible character U+000A: remove it",
            ),
            (
                "a\u{7f}",
                "the cluster's name contains the invisible character U+007F: remove it",
            ),
            (
                "a\u{9b}1m",
                "the cluster's name contains the invisible character U+009B: remove it",
            ),
            (
                "a\u{202e}b",
                "the cluster's name contains the invisible character U+202E: remove it",
            ),
            (
                "a\u{200b}b",
                "the cluster's name contains the invisible character U+200B: remove it",
            ),
            (
                "a\u{ffff}b",
                "the cluster's name contains the invisible character U+FFFF: remove it",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(reason(ClusterName::new(name)), expected, "{name:?}");
        }
        assert_eq!(
            reason(ClusterName::new(&"x".repeat(254))),
            "the cluster's name is 254 bytes long: at most 253 are allowed"
        );
    }

    #[test]
    fn a_user_cannot_be_a_wildcard() {
        assert_eq!(
            reason(UserName::new("a#")),
            "the user's name contains \"#\", an MQTT wildcard: remove it"
        );
        assert!(UserName::new("a+b").is_err());
        assert!(UserName::new("-").is_err());
    }

    #[test]
    fn prefixes_have_one_or_two_segments() {
        for prefix in ["/signal", "signal", "/a/b", "a/b"] {
            assert_eq!(Prefix::new(prefix).unwrap().as_str(), prefix);
        }
        for prefix in ["/", "//a", "/a/", "a//b", "/a/b/c", "$SYS/a", "$share/g"] {
            assert!(
                reason(Prefix::new(prefix)).contains("one or two segments"),
                "{prefix}"
            );
        }
        for prefix in [
            "",
            "/a/+",
            "#",
            "/a\u{1}",
            " /a",
            &"x".repeat(MAX_PREFIX + 1),
        ] {
            assert!(Prefix::new(prefix).is_err(), "{prefix:?}");
        }
    }

    #[test]
    fn a_session_is_its_bits_in_hexadecimal() {
        let session = SessionId::new(0xab);
        assert_eq!(session.to_string(), "000000000000000000000000000000ab");
        assert_eq!(session.to_string().parse(), Ok(session));
        for text in [
            "",
            "ab",
            "+0000000000000000000000000000000",
            "0000000000000000000000000000AB",
        ] {
            assert!(text.parse::<SessionId>().is_err(), "{text:?}");
        }
    }
}
