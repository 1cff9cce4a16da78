//! Logs of containers, with the parameters and the refusals that an API server has.

use super::super::faults::State;
use super::super::logs::{Found, Line, Simulated};
use super::super::{Shared, now};
use super::refuse;
use axum::body::Body;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Lines that are made at once of a log without end.
const FLOOD: usize = 256;

/// Query parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters {
    container: String,
    follow: bool,
    previous: bool,
    timestamps: bool,
    since_seconds: Option<i64>,
    since_time: Option<String>,
    tail_lines: Option<usize>,
}

pub(super) fn answer(shared: &Arc<Shared>, namespace: &str, pod: &str, uri: &Uri) -> Response {
    let parameters = match axum::extract::Query::<Parameters>::try_from_uri(uri) {
        Ok(query) => query.0,
        Err(error) => return refuse(400, "BadRequest", &error.to_string()),
    };
    if shared.faults.state().refused.contains("pods/log") {
        let message = format!(
            "pods {pod:?} is forbidden: User \"nobody\" cannot get resource \"pods/log\" in API group \"\" in the \
             namespace {namespace:?}"
        );
        return refuse(403, "Forbidden", &message);
    }
    let Some(object) = shared.store().get("pods", namespace, pod) else {
        return refuse(404, "NotFound", &format!("pods {pod:?} not found"));
    };
    if let Some(refusal) = refusal(&object, pod, &parameters.container) {
        return refuse(400, "BadRequest", &refusal);
    }
    let container = parameters.container.clone();
    let name = (namespace, pod, container.as_str());
    if parameters.previous {
        let Some(lines) = shared.logs.previous(name) else {
            let message = format!(
                "previous terminated container {:?} in pod {pod:?} not found",
                parameters.container
            );
            return refuse(400, "BadRequest", &message);
        };
        let text = text(&chosen(lines, &parameters), parameters.timestamps);
        return ([(CONTENT_TYPE, "text/plain")], text).into_response();
    }
    let reading = Reading::new(shared, &object, name, parameters);
    let pieces = futures::stream::unfold(reading, |mut reading| async move {
        let piece = reading.next().await?;
        Some((piece, reading))
    });
    ([(CONTENT_TYPE, "text/plain")], Body::from_stream(pieces)).into_response()
}

/// In the API server's and the kubelet's words.
fn refusal(object: &Value, pod: &str, container: &str) -> Option<String> {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let containers = lists
        .iter()
        .filter_map(|list| object["spec"][list].as_array());
    if !containers.flatten().any(|it| it["name"] == container) {
        return Some(format!("container {container} is not valid for pod {pod}"));
    }
    let statuses = object["status"]["containerStatuses"].as_array()?;
    let status = statuses.iter().find(|it| it["name"] == container)?;
    let reason = status["state"]["waiting"]["reason"].as_str()?;
    let never_ran = status["restartCount"].as_u64().unwrap_or_default() == 0;
    never_ran
        .then(|| format!("container {container:?} in pod {pod:?} is waiting to start: {reason}"))
}

/// The end of what there is, then of that what was written since: in the kubelet's order.
fn chosen(mut lines: Vec<Line>, parameters: &Parameters) -> Vec<Line> {
    if let Some(tail) = parameters.tail_lines {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let given = parameters.since_time.as_deref();
    let time = given.and_then(|time| time.parse::<Timestamp>().ok());
    let seconds = parameters.since_seconds;
    let since = time
        .map(Timestamp::as_second)
        .or_else(|| seconds.map(|seconds| now().div_euclid(1000) - seconds));
    if let Some(since) = since {
        lines.retain(|line| line.at.as_second() >= since);
    }
    lines
}

fn text(lines: &[Line], timestamps: bool) -> String {
    let mut text = String::new();
    for Line { at, text: line } in lines {
        // Writing to a String cannot fail.
        let _ = match timestamps {
            true => writeln!(text, "{at:.9} {line}"),
            false => writeln!(text, "{line}"),
        };
    }
    text
}

/// One log that is being read.
struct Reading {
    shared: Arc<Shared>,
    name: (String, String, String),
    simulated: Option<Simulated>,
    parameters: Parameters,
    begun: bool,
    next: usize,
    restarts: u64,
    pieces: VecDeque<String>,
    changes: watch::Receiver<u64>,
    faults: watch::Receiver<State>,
    breaks: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.logs.closed();
    }
}

impl Reading {
    fn new(
        shared: &Arc<Shared>,
        object: &Value,
        (namespace, pod, container): (&str, &str, &str),
        parameters: Parameters,
    ) -> Self {
        shared.logs.opened();
        let faults = shared.faults.subscribe();
        let breaks = faults.borrow().breaks;
        let made = object["metadata"]["creationTimestamp"].as_str();
        let made = made.and_then(|time| time.parse::<Timestamp>().ok());
        let simulated = made
            .filter(|_| shared.spec.scale > 0)
            .map(|made| Simulated::new((namespace, pod, container), made.as_second()));
        Self {
            name: (namespace.into(), pod.into(), container.into()),
            simulated,
            parameters,
            begun: false,
            next: 0,
            restarts: 0,
            pieces: VecDeque::new(),
            changes: shared.logs.subscribe(),
            breaks,
            faults,
            shared: shared.clone(),
        }
    }

    /// The next piece; none at the end; an error breaks the connection off.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        loop {
            let breaks = self.breaks;
            let passes = |state: &State| !state.hung || state.breaks > breaks;
            let state = self.faults.wait_for(passes).await.ok()?.clone();
            if state.breaks > self.breaks {
                return Some(Err(std::io::Error::other("told to break off")));
            }
            if let Some(piece) = self.pieces.pop_front() {
                return Some(Ok(Bytes::from(piece)));
            }
            self.changes.borrow_and_update();
            match self.gather() {
                _ if !self.pieces.is_empty() => continue,
                true => return None,
                false => {}
            }
            let pause = self.simulated.as_ref().map_or(3600, Simulated::every);
            tokio::select! {
                _ = self.changes.changed() => {}
                _ = self.faults.changed() => {}
                () = tokio::time::sleep(Duration::from_secs(pause)) => {}
            }
        }
    }

    /// Takes what is new; true at the end of the log.
    fn gather(&mut self) -> bool {
        let (namespace, pod, container) = &self.name;
        let found = self
            .shared
            .logs
            .read((namespace, pod, container), self.next);
        let found = found.unwrap_or_else(|| self.simulation());
        if self.begun && found.restarts > self.restarts {
            return true;
        }
        self.restarts = found.restarts;
        let lines = match self.begun {
            true => found.lines,
            false => chosen(found.lines, &self.parameters),
        };
        self.begun = true;
        self.next = found.next;
        // What is already there comes in pieces, as a server sends it.
        for lines in lines.chunks(1024) {
            self.pieces
                .push_back(text(lines, self.parameters.timestamps));
        }
        if found.endless {
            let line = Line {
                at: Timestamp::now(),
                text: "a line of a flood, which nobody can read as fast as it comes".into(),
            };
            let lines = vec![line; FLOOD];
            self.pieces
                .push_back(text(&lines, self.parameters.timestamps));
        }
        !self.parameters.follow
    }

    fn simulation(&self) -> Found {
        let now = now().div_euclid(1000);
        let (lines, next) = match &self.simulated {
            Some(simulated) => simulated.lines(self.next, now),
            None => (Vec::new(), 0),
        };
        Found {
            lines,
            next,
            restarts: 0,
            endless: false,
        }
    }
}
