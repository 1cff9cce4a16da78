//! Topics of incoming messages, and the topics of any names: small, and saying what they were made of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::names::{ClusterName, SessionId, UserName};
use mqtt_informer::protocol::topics::{Consumer, Route, Segment, Topics};

fuzz_target!(|input: &str| {
    let topics = Topics::default();
    topics.parse(input);
    for prefix in ["/signal/", "/payload/"] {
        topics.parse(&format!("{prefix}{input}"));
    }
    let (Ok(cluster), Ok(user)) = (ClusterName::new(input), UserName::new(input)) else {
        return;
    };
    let consumer = Consumer::new(&user, SessionId::new(7));
    let topic = topics.reply(&cluster, &consumer);
    assert!(topic.len() <= 256 && topic.matches('/').count() <= 7);
    let cluster = Segment::from(&cluster);
    assert_eq!(
        topics.parse(&topic),
        Some(Route::Reply { cluster, consumer })
    );
});
