//! Topics: where each message goes, and what a topic says of the one that came on it.
//!
//! | topic | who writes | what |
//! |---|---|---|
//! | `<signal>/<cluster>/<user>/<session>` | consumer | `Sync`, `Leave`, `LogOpen`, `LogCredit`, `LogClose` |
//! | `<signal>/-/<user>/<session>` | consumer | `Who` |
//! | `<payload>/<cluster>/presence` | source | `Presence` |
//! | `<payload>/<cluster>/reply/<user>/<session>` | source | `Page`, `Status`, `Presence`, `LogChunk` |
//! | `<payload>/<cluster>/live/<plural.version.group>/<namespace or ->/<hash>` | source | `Live` |
//!
//! Topics are never decoded: a segment is compared as it was encoded. Who asks and who answers is what the topic says,
//! because the broker's ACL guards topics (promise P9); a message's own words about it are for people.
//!
//! At most 7 slashes and 256 bytes, which is what AWS IoT allows.

use super::names::{ClusterName, NONE, Prefix, SessionId, UserName, is_visible};
use super::stream::CanonicalSelection;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The longest segment, in bytes.
pub const MAX_SEGMENT: usize = 63;
/// How much of a longer name is left to be read.
const READABLE: usize = 40;

const PRESENCE: &str = "presence";
const REPLY: &str = "reply";
const LIVE: &str = "live";

/// One name as topics carry it: what MQTT or this protocol gives a meaning to is percent-encoded, and a name that is
/// longer than 63 bytes then is cut to 40, a `~` and a hash. No two names that fit have one segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment(Arc<str>);

impl Segment {
    /// The segment of a name.
    fn encode(name: &str) -> Self {
        let mut encoded = String::with_capacity(name.len());
        for character in name.chars() {
            push_encoded(&mut encoded, character);
        }
        if encoded.len() > MAX_SEGMENT {
            encoded.truncate(readable(&encoded));
            encoded.push_str(&format!("~{:016x}", xxh3_64(name.as_bytes())));
        }
        Self(encoded.into())
    }

    /// A segment that came in a topic; nothing if it cannot be one.
    pub fn parse(segment: &str) -> Option<Self> {
        let sound = !segment.is_empty()
            && segment.len() <= MAX_SEGMENT
            && segment
                .chars()
                .all(|c| is_visible(c) && !matches!(c, '+' | '#' | '/'));
        sound.then(|| Self(segment.into()))
    }

    /// The segment.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&ClusterName> for Segment {
    fn from(name: &ClusterName) -> Self {
        Self::encode(name.as_str())
    }
}

impl From<&UserName> for Segment {
    fn from(name: &UserName) -> Self {
        Self::encode(name.as_str())
    }
}

impl From<SessionId> for Segment {
    fn from(session: SessionId) -> Self {
        Self(session.to_string().into())
    }
}

/// Who a consumer is, as the broker's ACL saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Consumer {
    /// The user.
    pub user: Segment,
    /// One process of that user's.
    pub session: Segment,
}

impl Consumer {
    /// This process, as its own topics name it.
    pub fn new(user: &UserName, session: SessionId) -> Self {
        Self {
            user: user.into(),
            session: session.into(),
        }
    }
}

/// What the topic of an incoming message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A request to one cluster.
    Signal {
        /// To whom.
        cluster: Segment,
        /// From whom.
        consumer: Consumer,
    },
    /// A request to every cluster.
    Who {
        /// From whom.
        consumer: Consumer,
    },
    /// A source's presence.
    Presence {
        /// Whose.
        cluster: Segment,
    },
    /// A source's reply to one consumer.
    Reply {
        /// From whom.
        cluster: Segment,
        /// To whom.
        consumer: Consumer,
    },
    /// A slice of a flush.
    Live {
        /// From whom.
        cluster: Segment,
    },
}

/// The two prefixes cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signal topic {signal} and the payload topic {payload} overlap: neither may begin with the other"
)]
pub struct OverlappingPrefixes {
    /// Where consumers write.
    pub signal: Prefix,
    /// Where sources write.
    pub payload: Prefix,
}

/// Every topic and filter of this protocol, under two prefixes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topics {
    signal: Prefix,
    payload: Prefix,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            signal: Prefix::signal(),
            payload: Prefix::payload(),
        }
    }
}

impl Topics {
    /// The topics under two prefixes, of which neither may begin with the other.
    pub fn new(signal: Prefix, payload: Prefix) -> Result<Self, OverlappingPrefixes> {
        let overlap = below(&signal, payload.as_str()).is_some()
            || below(&payload, signal.as_str()).is_some()
            || signal == payload;
        if overlap {
            return Err(OverlappingPrefixes { signal, payload });
        }
        Ok(Self { signal, payload })
    }

    /// Where a consumer writes to one cluster.
    pub fn signal(&self, cluster: &ClusterName, consumer: &Consumer) -> String {
        let Consumer { user, session } = consumer;
        format!(
            "{}/{}/{user}/{session}",
            self.signal,
            Segment::from(cluster)
        )
    }

    /// Where a consumer writes to every cluster.
    pub fn who(&self, consumer: &Consumer) -> String {
        let Consumer { user, session } = consumer;
        format!("{}/{NONE}/{user}/{session}", self.signal)
    }

    /// Where a source's presence lies.
    pub fn presence(&self, cluster: &ClusterName) -> String {
        format!("{}/{}/{PRESENCE}", self.payload, Segment::from(cluster))
    }

    /// Where a source answers one consumer.
    pub fn reply(&self, cluster: &ClusterName, consumer: &Consumer) -> String {
        let Consumer { user, session } = consumer;
        format!(
            "{}/{}/{REPLY}/{user}/{session}",
            self.payload,
            Segment::from(cluster)
        )
    }

    /// Where the changes of one stream go. A consumer takes it from a Page instead: see [`Topics::is_live_of`].
    pub fn live(&self, cluster: &ClusterName, selection: &CanonicalSelection<'_>) -> String {
        let resource = match (selection.plural, selection.group) {
            ("", _) => NONE.to_owned(),
            (plural, "") if selection.version.is_empty() => plural.to_owned(),
            (plural, "") => format!("{plural}.{}", selection.version),
            (plural, group) => format!("{plural}.{}.{group}", selection.version),
        };
        let namespace = match selection.namespace {
            "" => NONE,
            namespace => namespace,
        };
        // Half of the stream's id: the messages carry all of it.
        let hash = (selection.id().0 >> 64) as u64;
        format!(
            "{}/{}/{LIVE}/{}/{}/{hash:016x}",
            self.payload,
            Segment::from(cluster),
            Segment::encode(&resource),
            Segment::encode(namespace),
        )
    }

    /// Whether a topic that a Page of this cluster names is one that only this cluster may write to.
    ///
    /// Whoever subscribes without asking reads what the page's writer wants to be read, under any cluster's name.
    pub fn is_live_of(&self, cluster: &ClusterName, topic: &str) -> bool {
        let route = Route::Live {
            cluster: cluster.into(),
        };
        self.parse(topic) == Some(route)
    }

    /// What a source subscribes to: requests to itself, and to every cluster.
    pub fn requests_filters(&self, cluster: &ClusterName) -> [String; 2] {
        let to = |segment: &str| format!("{}/{segment}/+/+", self.signal);
        [to(Segment::from(cluster).as_str()), to(NONE)]
    }

    /// What a source subscribes to in order to hear itself, or another under its name.
    pub fn lives_filter(&self, cluster: &ClusterName) -> String {
        format!("{}/{}/{LIVE}/+/+/+", self.payload, Segment::from(cluster))
    }

    /// What a consumer subscribes to: the replies of every source.
    pub fn replies_filter(&self, consumer: &Consumer) -> String {
        let Consumer { user, session } = consumer;
        format!("{}/+/{REPLY}/{user}/{session}", self.payload)
    }

    /// What a consumer subscribes to: the presence of every source.
    pub fn presences_filter(&self) -> String {
        format!("{}/+/{PRESENCE}", self.payload)
    }

    /// What the topic of an incoming message says; nothing if it is none of this protocol's.
    pub fn parse(&self, topic: &str) -> Option<Route> {
        if let Some(rest) = below(&self.signal, topic) {
            return parse_signal(rest);
        }
        let (cluster, rest) = below(&self.payload, topic)?.split_once('/')?;
        let cluster = Segment::parse(cluster).filter(|it| it.as_str() != NONE)?;
        match rest.split_once('/') {
            None if rest == PRESENCE => Some(Route::Presence { cluster }),
            Some((REPLY, rest)) => {
                let consumer = parse_consumer(rest)?;
                Some(Route::Reply { cluster, consumer })
            }
            Some((LIVE, rest)) => {
                let segments = rest.split('/').map(Segment::parse);
                let stream: Vec<Segment> = segments.collect::<Option<_>>()?;
                (stream.len() == 3).then_some(Route::Live { cluster })
            }
            _ => None,
        }
    }
}

fn parse_signal(rest: &str) -> Option<Route> {
    let (cluster, rest) = rest.split_once('/')?;
    let consumer = parse_consumer(rest)?;
    if cluster == NONE {
        return Some(Route::Who { consumer });
    }
    let cluster = Segment::parse(cluster)?;
    Some(Route::Signal { cluster, consumer })
}

fn parse_consumer(rest: &str) -> Option<Consumer> {
    let (user, session) = rest.split_once('/')?;
    session.parse::<SessionId>().ok()?;
    Some(Consumer {
        user: Segment::parse(user)?,
        session: Segment::parse(session)?,
    })
}

/// What comes after a prefix and its slash.
fn below<'a>(prefix: &Prefix, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(prefix.as_str())?.strip_prefix('/')
}

/// Encoded are MQTT's own characters, the two that encoding itself uses, and whatever cannot be seen.
fn push_encoded(out: &mut String, character: char) {
    if is_visible(character) && !matches!(character, '/' | '+' | '#' | '%' | '~') {
        out.push(character);
        return;
    }
    let mut bytes = [0; 4];
    for byte in character.encode_utf8(&mut bytes).bytes() {
        out.push_str(&format!("%{byte:02X}"));
    }
}

/// Where to cut a segment: at 40 bytes, or before the character or the escape that lies across them.
fn readable(encoded: &str) -> usize {
    let mut end = encoded.floor_char_boundary(READABLE);
    let before = encoded.as_bytes();
    if let Some(escape) = (end.saturating_sub(2)..end).find(|at| before.get(*at) == Some(&b'%')) {
        end = escape;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::super::names::{MAX_PREFIX, SessionId};
    use super::*;
    use crate::protocol::message::View;
    use crate::protocol::names::HUB;
    use proptest::prelude::*;

    fn topics() -> Topics {
        Topics::default()
    }

    fn cluster(name: &str) -> ClusterName {
        ClusterName::new(name).unwrap()
    }

    fn alice() -> Consumer {
        Consumer::new(&UserName::new("alice").unwrap(), SessionId::new(0xab))
    }

    fn pods() -> CanonicalSelection<'static> {
        CanonicalSelection {
            version: "v1",
            plural: "pods",
            ..CanonicalSelection::default()
        }
    }

    #[test]
    fn topics_read_as_designed() {
        let (topics, one, alice) = (topics(), cluster("cluster1"), alice());
        let session = "000000000000000000000000000000ab";
        assert_eq!(
            topics.signal(&one, &alice),
            format!("/signal/cluster1/alice/{session}")
        );
        assert_eq!(topics.who(&alice), format!("/signal/-/alice/{session}"));
        assert_eq!(topics.presence(&one), "/payload/cluster1/presence");
        assert_eq!(
            topics.reply(&one, &alice),
            format!("/payload/cluster1/reply/alice/{session}")
        );
        assert_eq!(
            topics.requests_filters(&one),
            ["/signal/cluster1/+/+", "/signal/-/+/+"]
        );
        assert_eq!(topics.lives_filter(&one), "/payload/cluster1/live/+/+/+");
        assert_eq!(
            topics.replies_filter(&alice),
            format!("/payload/+/reply/alice/{session}")
        );
        assert_eq!(topics.presences_filter(), "/payload/+/presence");
        let live = |selection| {
            let topic = topics.live(&one, &selection);
            topic
                .rsplit_once('/')
                .map(|(head, _)| head.to_owned())
                .unwrap()
        };
        assert_eq!(live(pods()), "/payload/cluster1/live/pods.v1/-");
        let deployments = CanonicalSelection {
            group: "apps",
            plural: "deployments",
            namespace: "web",
            ..pods()
        };
        assert_eq!(
            live(deployments),
            "/payload/cluster1/live/deployments.v1.apps/web"
        );
        assert_eq!(
            live(CanonicalSelection::default()),
            "/payload/cluster1/live/-/-"
        );
        let work = CanonicalSelection {
            plural: "work",
            namespace: "cluster1",
            view: View::Work,
            ..CanonicalSelection::default()
        };
        let topic = topics.live(&cluster(HUB), &work);
        assert!(
            topic.starts_with("/payload/hub/live/work/cluster1/"),
            "{topic}"
        );
    }

    #[test]
    fn names_become_segments_that_mean_nothing_to_mqtt() {
        let segment = |name: &str| Segment::from(&cluster(name)).as_str().to_owned();
        assert_eq!(segment("a/b+c#d%e~f"), "a%2Fb%2Bc%23d%25e%7Ef");
        assert_eq!(segment("東京 1"), "東京 1");
        let fits = "x".repeat(63);
        assert_eq!(segment(&fits), fits);
        let long = segment(&"x".repeat(64));
        assert_eq!(
            (long.len(), &long[..41]),
            (57, &*format!("{}~", "x".repeat(40)))
        );
        let escape = segment(&format!("{}/{}", "x".repeat(38), "y".repeat(40)));
        assert_eq!(&escape[..39], format!("{}~", "x".repeat(38)));
        let character = segment(&format!("{}京{}", "x".repeat(39), "y".repeat(40)));
        assert_eq!(&character[..40], format!("{}~", "x".repeat(39)));
    }

    #[test]
    fn a_page_cannot_send_its_reader_anywhere_else() {
        let (topics, one) = (topics(), cluster("cluster1"));
        assert!(topics.is_live_of(&one, &topics.live(&one, &pods())));
        for topic in [
            topics.live(&cluster("cluster2"), &pods()).as_str(),
            "/payload/cluster1/live/#",
            "/payload/cluster1/live/+/-/x",
            "/payload/cluster1/live/pods.v1/-",
            "/payload/cluster1/presence",
            "/payload/+/live/pods.v1/-/x",
            "/signal/cluster1/live/pods.v1/-/x",
            "",
        ] {
            assert!(!topics.is_live_of(&one, topic), "{topic}");
        }
    }

    #[test]
    fn other_topics_say_nothing() {
        let session = SessionId::new(1);
        let long = "x".repeat(64);
        for topic in [
            "",
            "/signal",
            "/signal/",
            "/signal/cluster1",
            "/signal/cluster1/alice",
            "/signal/cluster1/alice/short",
            &format!("/signal//alice/{session}"),
            &format!("/signal/cluster1//{session}"),
            &format!("/signal/cluster1/alice/{session}/more"),
            &format!("/signal/{long}/alice/{session}"),
            &format!("/signal/cluster1/al\u{202e}ice/{session}"),
            &format!("/signals/cluster1/alice/{session}"),
            &format!("signal/cluster1/alice/{session}"),
            "/payload/cluster1",
            "/payload/-/presence",
            "/payload/cluster1/presence/more",
            "/payload/cluster1/live/a/b",
            "/payload/cluster1/live/a/b/c/d",
            "/payload/cluster1/else",
        ] {
            assert_eq!(topics().parse(topic), None, "{topic}");
        }
    }

    #[test]
    fn prefixes_that_overlap_are_refused() {
        let new = |signal: &str, payload: &str| {
            Topics::new(Prefix::new(signal).unwrap(), Prefix::new(payload).unwrap())
        };
        for (signal, payload) in [("/a", "/a"), ("/a", "/a/b"), ("/a/b", "/a")] {
            let refused = new(signal, payload).unwrap_err().to_string();
            assert!(refused.contains(&format!("{signal} and the payload topic {payload} overlap")));
        }
        for (signal, payload) in [("/a", "a"), ("/a/b", "/a/c"), ("/a", "/ab")] {
            assert!(new(signal, payload).is_ok(), "{signal} {payload}");
        }
    }

    fn any_cluster() -> impl Strategy<Value = ClusterName> {
        prop_oneof!["[ -~]{1,90}", "\\PC{1,60}"]
            .prop_filter_map("a name", |name| ClusterName::new(&name).ok())
    }

    fn any_user() -> impl Strategy<Value = UserName> {
        prop_oneof!["[ -~]{1,90}", "\\PC{1,60}"]
            .prop_filter_map("a name", |name| UserName::new(&name).ok())
    }

    fn any_prefix() -> impl Strategy<Value = Prefix> {
        prop_oneof!["/?[a-z%é]{1,10}", "/?[a-z]{1,20}/[a-z]{1,18}"]
            .prop_filter_map("a prefix", |prefix| Prefix::new(&prefix).ok())
    }

    fn any_topics() -> impl Strategy<Value = Topics> {
        (any_prefix(), any_prefix()).prop_filter_map("apart", |(signal, payload)| {
            Topics::new(signal, payload).ok()
        })
    }

    proptest! {
        #[test]
        fn every_topic_is_small_and_says_what_it_was_made_of(topics in any_topics(), name in any_cluster(), user in any_user(), session: u128, text in "\\PC{0,90}") {
            let consumer = Consumer::new(&user, SessionId::new(session));
            let cluster = Segment::from(&name);
            let selection = CanonicalSelection { group: &text, version: &text, plural: &text, namespace: &text, ..pods() };
            let all = [
                (topics.signal(&name, &consumer), Route::Signal { cluster: cluster.clone(), consumer: consumer.clone() }),
                (topics.who(&consumer), Route::Who { consumer: consumer.clone() }),
                (topics.presence(&name), Route::Presence { cluster: cluster.clone() }),
                (topics.reply(&name, &consumer), Route::Reply { cluster: cluster.clone(), consumer: consumer.clone() }),
                (topics.live(&name, &selection), Route::Live { cluster }),
            ];
            for (topic, route) in all {
                prop_assert!(topic.len() <= 256, "{} bytes: {topic}", topic.len());
                prop_assert!(topic.matches('/').count() <= 7, "{topic}");
                prop_assert!(!topic.contains(['+', '#', '\0']), "{topic}");
                prop_assert_eq!(topics.parse(&topic), Some(route), "{}", topic);
            }
        }

        #[test]
        fn names_that_differ_have_segments_that_differ(a in any_cluster(), b in any_cluster()) {
            prop_assert_eq!(a == b, Segment::from(&a) == Segment::from(&b));
        }

        #[test]
        fn hostile_topics_are_parsed_or_not(topic in "(/signal|/payload)?(/[-a-z0-9~%+#]{0,40}){0,8}", any in any::<String>()) {
            topics().parse(&topic);
            topics().parse(&any);
        }
    }

    #[test]
    fn the_longest_topic_fits() {
        let prefix =
            |c: char| Prefix::new(&format!("/a/{}", c.to_string().repeat(MAX_PREFIX - 3))).unwrap();
        let topics = Topics::new(prefix('s'), prefix('p')).unwrap();
        let fits = "x".repeat(63);
        let selection = CanonicalSelection {
            plural: &fits[..60],
            version: "v1",
            namespace: &fits,
            ..pods()
        };
        let topic = topics.live(&cluster(&fits), &selection);
        assert_eq!(
            (topic.len(), topic.matches('/').count()),
            (40 + 1 + 63 + 5 + 1 + 63 + 1 + 63 + 1 + 16, 7)
        );
    }
}
