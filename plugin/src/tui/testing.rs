//! For the tests of the screen: clusters that say what they are told to.

use super::app::{App, Start};
use super::event::{Age, Effect, Event, FeedId, FeedNews, What};
use super::grid::Now;
use super::theme::Theme;
use super::update::{start, update};
use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mqtt_informer::informer::{Cluster, Freshness, LinkState, Notice, Progress, StreamState};
use mqtt_informer::protocol::message::Presence;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::rows::{self, part};
use prost::Message;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

pub(super) fn name(cluster: &str) -> ClusterName {
    ClusterName::new(cluster).unwrap()
}

pub(super) fn header(plural: &str, columns: &[&str]) -> Bytes {
    let column = |name: &&str| rows::Column {
        name: (*name).to_owned(),
        r#type: "string".into(),
        format: if *name == "Name" {
            "name".into()
        } else {
            String::new()
        },
        priority: 0,
    };
    let header = rows::Header {
        version: "v1".into(),
        plural: plural.into(),
        kind: kind(plural),
        namespaced: true,
        columns: columns.iter().map(column).collect(),
        ..rows::Header::default()
    };
    header.encode_to_vec().into()
}

fn cell(part: part::Part) -> rows::Cell {
    rows::Cell {
        parts: vec![rows::Part { part: Some(part) }],
    }
}

/// `web-1 1/1 Running 5000`: the last is the moment since when it is.
pub(super) fn row(text: &str) -> Bytes {
    let words: Vec<_> = text.split(' ').collect();
    let (since, texts) = words.split_last().unwrap();
    let mut cells: Vec<_> = texts
        .iter()
        .map(|it| cell(part::Part::Text((*it).to_owned())))
        .collect();
    cells.push(cell(part::Part::SinceMs(since.parse().unwrap())));
    let metadata =
        serde_json::json!({"name": words[0], "namespace": "shop", "uid": words[0], "labels": {"app": words[0]}})
            .to_string();
    let row = rows::Row {
        cells,
        metadata: metadata.into_bytes().into(),
    };
    row.encode_to_vec().into()
}

fn kind(plural: &str) -> String {
    match plural {
        "pods" => "Pod",
        "deployments" => "Deployment",
        "nodes" => "Node",
        _ => "Thing",
    }
    .to_owned()
}

/// The milliseconds since 1970 at which each bed begins.
const WALL_MS: i64 = 1_000_000_000;

/// A screen, and the clusters that it looks at.
pub(super) struct Bed {
    pub(super) app: App,
    /// What was wanted and not looked at yet.
    pub(super) effects: Vec<Effect>,
    ms: u64,
    held: BTreeMap<(FeedId, String, Bytes), Bytes>,
}

impl Bed {
    /// Linked, with two clusters that are there.
    pub(super) fn new(size: (u16, u16)) -> Self {
        Self::with(Start {
            place: "tcp://broker:1883".to_owned(),
            hub: Some(name("hub")),
            size,
            ..Start::default()
        })
    }

    pub(super) fn with(start_with: Start) -> Self {
        let (app, effects) = start(&start_with);
        Self {
            app,
            effects,
            ms: 0,
            held: BTreeMap::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            at: Duration::from_millis(self.ms),
            wall_ms: WALL_MS + i64::try_from(self.ms).unwrap(),
        }
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.ms += ms;
        self.happens(What::Tick);
    }

    pub(super) fn happens(&mut self, what: What) {
        let now = self.now();
        let effects = update(&mut self.app, Event { now, what });
        self.effects.extend(effects);
    }

    /// `:pods`, `<enter>`, `<ctrl-z>`: as they are typed.
    pub(super) fn types(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let special = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let event = match special {
                Some((name, after)) => {
                    rest = after;
                    key(name)
                }
                None => {
                    rest = &rest[c.len_utf8()..];
                    KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
                }
            };
            self.happens(What::Key(event));
        }
    }

    pub(super) fn link(&mut self, link: LinkState) {
        self.happens(What::Link(link));
    }

    /// `east`, or `west-` for one whose source left.
    pub(super) fn clusters(&mut self, names: &[&str]) {
        let cluster = |name: &&str| {
            let offline = name.ends_with('-');
            let name = name.trim_end_matches('-');
            let presence = Presence {
                cluster: name.to_owned(),
                kubernetes_version: "v1.36.3".to_owned(),
                labels: vec![(
                    "env".to_owned(),
                    if name == "east" { "prod" } else { "test" }.to_owned(),
                )],
                at_ms: u64::try_from(WALL_MS).unwrap() - 60_000,
                ..Presence::default()
            };
            (self::name(name), Cluster { presence, offline })
        };
        self.happens(What::Clusters(Arc::new(
            names.iter().map(cluster).collect(),
        )));
    }

    /// The feeds of the view on the screen.
    pub(super) fn feed(&self) -> FeedId {
        self.app.view().unwrap().feeds()[0]
    }

    /// A cluster's whole copy, fresh: its header and these rows.
    pub(super) fn copy(&mut self, cluster: &str, plural: &str, columns: &[&str], rows: &[&str]) {
        self.copy_to(self.feed(), cluster, (plural, columns), rows);
    }

    /// The same for one of several feeds of a view.
    pub(super) fn copy_to(
        &mut self,
        feed: FeedId,
        cluster: &str,
        (plural, columns): (&str, &[&str]),
        rows: &[&str],
    ) {
        self.happens(What::Feed(feed, FeedNews::Joined(name(cluster))));
        let new = Some(header(plural, columns));
        let mut notices = vec![Notice {
            key: Bytes::new(),
            old: None,
            new,
        }];
        notices.extend(rows.iter().map(|text| self.notice(feed, cluster, text)));
        self.happens(What::Feed(feed, FeedNews::Changed(name(cluster), notices)));
        let state = StreamState {
            synced: true,
            progress: Progress::Synced,
            ..StreamState::default()
        };
        self.happens(What::Feed(feed, FeedNews::State(name(cluster), state)));
        self.age_of(feed, cluster, Freshness::Fresh, 400);
    }

    /// The whole copy of one object, fresh; none if it is not there.
    pub(super) fn object(&mut self, cluster: &str, object: Option<serde_json::Value>) {
        let feed = self.feed();
        self.happens(What::Feed(feed, FeedNews::Joined(name(cluster))));
        let header = Notice {
            key: Bytes::new(),
            old: None,
            new: Some(Bytes::new()),
        };
        let object = object.map(|object| Notice {
            key: "shop/x".into(),
            old: None,
            new: Some(object.to_string().into()),
        });
        let notices = std::iter::once(header).chain(object).collect();
        self.happens(What::Feed(feed, FeedNews::Changed(name(cluster), notices)));
        self.age(cluster, Freshness::Fresh, 100);
    }

    /// What a feed of whole objects tells: by keys, none for one that went.
    pub(super) fn tell(
        &mut self,
        feed: FeedId,
        cluster: &str,
        objects: &[(&str, Option<serde_json::Value>)],
    ) {
        let notice = |(key, object): &(&str, Option<serde_json::Value>)| Notice {
            key: (*key).to_owned().into(),
            old: None,
            new: object.as_ref().map(|object| object.to_string().into()),
        };
        let notices = objects.iter().map(notice).collect();
        self.happens(What::Feed(feed, FeedNews::Changed(name(cluster), notices)));
    }

    /// What pods use, as a metrics server tells it: `web-1 250m 64Mi`.
    pub(super) fn used(&mut self, cluster: &str, pods: &[&str]) {
        let Some(super::view::View::Table(table)) = self.app.view() else {
            panic!("{:?}", self.app.view())
        };
        let feed = table.figures.used[0];
        let of = |text: &&str| {
            let words: Vec<_> = text.split(' ').collect();
            let usage = serde_json::json!({"cpu": words[1], "memory": words[2]});
            let metrics = serde_json::json!({"containers": [{"usage": usage}]});
            (format!("shop/{}", words[0]), Some(metrics))
        };
        let pods: Vec<_> = pods.iter().map(of).collect();
        let pods: Vec<_> = pods
            .iter()
            .map(|(key, it)| (key.as_str(), it.clone()))
            .collect();
        self.tell(feed, cluster, &pods);
    }

    /// Changes: `web-1 1/1 Running 5000`, `-web-1` for one that went.
    pub(super) fn news(&mut self, cluster: &str, rows: &[&str]) {
        self.news_to(self.feed(), cluster, rows);
    }

    /// The same of one of several feeds of a view.
    pub(super) fn news_to(&mut self, feed: FeedId, cluster: &str, rows: &[&str]) {
        let notices = rows
            .iter()
            .map(|text| self.notice(feed, cluster, text))
            .collect();
        self.happens(What::Feed(feed, FeedNews::Changed(name(cluster), notices)));
    }

    pub(super) fn age(&mut self, cluster: &str, freshness: Freshness, old_ms: u64) {
        self.age_of(self.feed(), cluster, freshness, old_ms);
    }

    fn age_of(&mut self, feed: FeedId, cluster: &str, freshness: Freshness, old_ms: u64) {
        let age = Age {
            freshness,
            lasts: Duration::from_millis(old_ms.saturating_sub(5000)),
            old: Some(Duration::from_millis(old_ms)),
            told: self.now().at,
            ahead_ms: 0,
        };
        self.happens(What::Feed(feed, FeedNews::Ages(vec![(name(cluster), age)])));
    }

    fn notice(&mut self, feed: FeedId, cluster: &str, text: &str) -> Notice {
        let (text, new) = match text.strip_prefix('-') {
            Some(name) => (name, None),
            None => (text, Some(row(text))),
        };
        let key = Bytes::from(format!("shop/{}", text.split(' ').next().unwrap()));
        let place = (feed, cluster.to_owned(), key.clone());
        let old = match &new {
            Some(new) => self.held.insert(place, new.clone()),
            None => self.held.remove(&place),
        };
        Notice { key, old, new }
    }

    /// What is on the screen, line by line.
    pub(super) fn screen(&self) -> String {
        let (width, height) = self.app.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| super::draw(&self.app, &Theme::default(), frame))
            .unwrap();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..height {
            let mut line = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                // What a wide character covers is not there.
                x += u16::try_from(symbol.width().max(1)).unwrap();
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Draws, whatever the size.
    pub(super) fn screen_or_nothing(&self) {
        let (width, height) = self.app.size;
        if width > 0 && height > 0 {
            self.screen();
        }
    }

    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

fn key(name: &str) -> KeyEvent {
    let (modifiers, name) = match name.split_once('-') {
        Some(("ctrl", rest)) => (KeyModifiers::CONTROL, rest),
        Some(("shift", rest)) => (KeyModifiers::SHIFT, rest),
        Some(("alt", rest)) => (KeyModifiers::ALT, rest),
        _ => (KeyModifiers::NONE, name),
    };
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        "space" => KeyCode::Char(' '),
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        name => KeyCode::Char(name.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}

/// The columns of pods, as far as tests go.
pub(super) const PODS: [&str; 4] = ["Name", "Ready", "Status", "Age"];

/// Two clusters with some pods.
pub(super) fn pods(size: (u16, u16)) -> Bed {
    let mut bed = Bed::new(size);
    bed.link(LinkState::Up);
    bed.clusters(&["east", "west"]);
    bed.copy(
        "east",
        "pods",
        &PODS,
        &[
            "cart-1 1/1 Running 999000000",
            "web-1 0/1 CrashLoopBackOff 999900000",
            "web-2 1/1 Running 999990000",
        ],
    );
    bed.copy(
        "west",
        "pods",
        &PODS,
        &[
            "db-0 0/1 Pending 999999000",
            "job-7 0/1 Completed 999000000",
        ],
    );
    bed
}
