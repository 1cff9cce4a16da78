use super::*;
use crate::informer::UpstreamDown;
use crate::link::Failure;
use std::time::Duration;

fn east() -> ClusterName {
    ClusterName::new("east").unwrap()
}

fn down() -> LinkState {
    LinkState::Down(Failure {
        message: "nobody listens".into(),
        permanent: false,
    })
}

fn refused() -> StreamState {
    StreamState {
        progress: Progress::Refused {
            code: 403,
            reason: "Forbidden".into(),
            message: "pods is forbidden".into(),
        },
        ..StreamState::default()
    }
}

#[derive(Default)]
struct Case {
    state: StreamState,
    freshness: Freshness,
    link: LinkState,
    offline: bool,
    heard: bool,
    late: bool,
}

fn judged(case: &Case) -> Option<Unavailable> {
    judge(&Circumstances {
        cluster: &east(),
        state: &case.state,
        freshness: case.freshness,
        link: &case.link,
        offline: case.offline,
        heard: case.heard,
        is_late: case.late,
    })
}

#[test]
fn what_is_the_matter_is_named() {
    let cluster = east;
    let api_server = || StreamState {
        upstream_down: Some(UpstreamDown {
            since: Duration::from_secs(9),
            message: "connection refused".into(),
        }),
        ..StreamState::default()
    };
    use Freshness::{Fresh, Stale};
    let cases = [
        (Case::default(), None),
        (
            Case {
                freshness: Stale,
                ..Case::default()
            },
            None,
        ),
        (
            Case {
                late: true,
                ..Case::default()
            },
            Some(Unavailable::Silent { cluster: cluster() }),
        ),
        (
            Case {
                late: true,
                heard: true,
                ..Case::default()
            },
            None,
        ),
        (
            Case {
                offline: true,
                ..Case::default()
            },
            Some(Unavailable::Offline { cluster: cluster() }),
        ),
        (
            Case {
                freshness: Fresh,
                offline: true,
                link: down(),
                ..Case::default()
            },
            None,
        ),
        (
            Case {
                freshness: Stale,
                late: true,
                ..Case::default()
            },
            Some(Unavailable::Stale { cluster: cluster() }),
        ),
        (
            Case {
                freshness: Stale,
                link: down(),
                offline: true,
                ..Case::default()
            },
            Some(Unavailable::Broker {
                message: "nobody listens".into(),
            }),
        ),
        (
            Case {
                freshness: Stale,
                state: api_server(),
                ..Case::default()
            },
            Some(Unavailable::ApiServer {
                cluster: cluster(),
                message: "connection refused".into(),
            }),
        ),
        (
            Case {
                freshness: Stale,
                state: refused(),
                offline: true,
                ..Case::default()
            },
            Some(Unavailable::Refused {
                code: 403,
                reason: "Forbidden".into(),
                message: "pods is forbidden".into(),
            }),
        ),
    ];
    for (number, (case, wanted)) in cases.iter().enumerate() {
        assert_eq!(&judged(case), wanted, "case {number}");
    }
}

#[test]
fn an_error_item_tells_what_it_was_made_of() {
    let refused = judged(&Case {
        state: refused(),
        ..Case::default()
    })
    .unwrap();
    for trouble in [refused, Unavailable::Stale { cluster: east() }] {
        let error = trouble.clone().into_error(false);
        assert!(matches!(error, watcher::Error::InitialListFailed(_)));
        assert_eq!(Unavailable::of(&error), Some(trouble.clone()));
        let error = trouble.clone().into_error(true);
        assert!(matches!(error, watcher::Error::WatchFailed(_)));
        assert_eq!(Unavailable::of(&error), Some(trouble));
    }
    assert_eq!(Unavailable::of(&watcher::Error::NoResourceVersion), None);
}

#[test]
fn a_refusal_is_found_where_kube_rs_has_it() {
    let refused = judged(&Case {
        state: refused(),
        ..Case::default()
    })
    .unwrap();
    let watcher::Error::InitialListFailed(kube::Error::Api(status)) = refused.into_error(false)
    else {
        panic!("another error");
    };
    assert!(status.is_forbidden() && status.code == 403);
}

#[test]
fn a_reason_is_told_once_an_outage() {
    let mut episode = Episode::default();
    let stale = || Some(Unavailable::Stale { cluster: east() });
    let offline = || Some(Unavailable::Offline { cluster: east() });
    assert_eq!(episode.news(None, Freshness::Unknown), None);
    assert_eq!(episode.news(stale(), Freshness::Stale), stale());
    assert_eq!(episode.news(offline(), Freshness::Stale), offline());
    assert_eq!(episode.news(stale(), Freshness::Stale), None);
    assert_eq!(episode.news(None, Freshness::Unknown), None);
    assert_eq!(
        episode.news(stale(), Freshness::Stale),
        None,
        "it was not over"
    );
    assert_eq!(episode.news(None, Freshness::Fresh), None);
    assert_eq!(episode.news(stale(), Freshness::Stale), stale());
}
