//! A container's log, as the API server has it from the kubelet.

use super::client::Client;
use super::failure::Failure;
use crate::protocol::message::LogSelection;
use crate::source::Refusal;
use bytes::Bytes;
use tokio::sync::mpsc;
use url::form_urlencoded::{Serializer, byte_serialize};

/// The largest piece that is passed on, in bytes: what waits for a slow reader is bounded by it.
const PIECE: usize = 64 * 1024;

/// Reads a log until it ends, or nobody wants its pieces any more.
pub(super) async fn read(
    client: &Client,
    log: &LogSelection,
    pieces: mpsc::Sender<Bytes>,
) -> Result<(), Failure> {
    let mut text = client.log(&url(log)?).await?;
    while let Some(mut bytes) = text.next().await? {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            if pieces.send(piece).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Each line comes behind its time: where a reader goes on is told by it.
fn url(log: &LogSelection) -> Result<String, Failure> {
    let segment = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let mut query = Serializer::new(String::new());
    query.append_pair("container", &log.container);
    query.append_pair("timestamps", "true");
    if log.follow {
        query.append_pair("follow", "true");
    }
    if log.previous {
        query.append_pair("previous", "true");
    }
    if let Some(lines) = log.tail {
        query.append_pair("tailLines", &capped(lines));
    }
    match (log.from_s, log.since_s) {
        (Some(second), _) => {
            let time = jiff::Timestamp::from_second(second).map_err(|_| out_of_range(second))?;
            query.append_pair("sinceTime", &time.to_string());
        }
        (None, Some(seconds)) => {
            query.append_pair("sinceSeconds", &capped(seconds));
        }
        (None, None) => {}
    }
    Ok(format!(
        "/api/v1/namespaces/{}/pods/{}/log?{}",
        segment(&log.namespace),
        segment(&log.pod),
        query.finish()
    ))
}

/// The API server reads signed numbers.
fn capped(number: u64) -> String {
    i64::try_from(number).unwrap_or(i64::MAX).to_string()
}

fn out_of_range(second: i64) -> Failure {
    Failure::Refused(Refusal {
        code: 400,
        reason: "BadRequest".into(),
        message: format!("{second} is no second of a year up to 9999"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_the_api_server() {
        let log = LogSelection {
            namespace: "shop".into(),
            pod: "web-0".into(),
            container: "app".into(),
            ..LogSelection::default()
        };
        let path = "/api/v1/namespaces/shop/pods/web-0/log?container=app&timestamps=true";
        assert_eq!(url(&log).unwrap(), path);
        let everything = LogSelection {
            follow: true,
            previous: true,
            tail: Some(u64::MAX),
            since_s: Some(60),
            from_s: Some(1_790_000_000),
            ..log.clone()
        };
        assert_eq!(
            url(&everything).unwrap(),
            format!(
                "{path}&follow=true&previous=true&tailLines=9223372036854775807\
                 &sinceTime=2026-09-21T14%3A13%3A20Z"
            )
        );
        let since = LogSelection {
            since_s: Some(60),
            ..log.clone()
        };
        assert_eq!(url(&since).unwrap(), format!("{path}&sinceSeconds=60"));
        let never = LogSelection {
            from_s: Some(i64::MAX),
            ..log
        };
        assert!(matches!(url(&never), Err(Failure::Refused(_))));
    }
}
