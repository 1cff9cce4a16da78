//! `tui`: the screen's driver. Keys, time and what clusters tell go into [`crate::tui::update`]; what it wants done is
//! done here, and what it made of it is drawn.
//!
//! One loop waits for everything. What is ready is taken at once and together, so that a burst of changes is one frame;
//! there is at most one frame in 16 ms, and none while nothing has changed.

mod feeds;
mod files;
mod screen;
mod work;

use super::ClusterArgs;
use super::reader::Limits;
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::scope::{Attached, Place, Scope};
use crate::terminal::Terminal;
use crate::tui::app::{App, Start};
use crate::tui::command::words_of;
use crate::tui::event::{Effect, Event, What};
use crate::tui::grid::Now;
use crate::tui::theme::{Colours, Ground, Theme};
use crate::tui::update::{self, update};
use clap::{Args, ValueEnum};
use crossterm::event::{Event as Happened, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use feeds::Feeds;
use futures::{FutureExt, StreamExt};
use mqtt_informer::cli::duration;
use mqtt_informer::protocol::selector::LabelSelector;
use screen::Screen;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use work::Work;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Ages and lags are told anew so often.
const AGES: Duration = Duration::from_secs(1);
/// What is ready is taken for so long at most before it is drawn.
const BURST: Duration = Duration::from_millis(8);

/// Look at all clusters on one live screen.
///
/// Its keys and words are those of k9s: `:deploy shop`, `/` filters, enter goes into an object, ? shows all keys. Rows of
/// a cluster that is not heard are dimmed, and the head of the screen says since when. It shows, and changes nothing in any
/// cluster.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Pods of all clusters
  kubectl mqinformer tui

  # Deployments of production
  kubectl mqinformer tui deploy --cluster 'prod-*'

  # Clusters of the kubeconfig: no broker, nothing installed in them
  kubectl mqinformer tui --context all")]
pub struct TuiArgs {
    /// The type to open on: pods, deploy, certificates.cert-manager.io. Default: pods.
    #[arg(value_name = "TYPE")]
    pub word: Option<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub screen: ScreenArgs,
}

/// Look at one type on the live screen that `tui` is.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Deployments of all clusters
  kubectl mqinformer watch deploy")]
pub struct WatchArgs {
    /// The type: pods, deploy, certificates.cert-manager.io.
    #[arg(value_name = "TYPE")]
    pub word: String,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub screen: ScreenArgs,
}

/// What both have.
#[derive(Clone, Debug, Args)]
pub struct ScreenArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    /// The namespace. Default: all.
    #[arg(long, short, env = "MQINFORMER_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,

    /// All namespaces, whatever the environment and the configuration file say.
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,

    /// The terminal's background: light or dark. Default: what the terminal says of it, else dark. NO_COLOR is heeded.
    #[arg(
        long,
        env = "MQINFORMER_THEME",
        value_name = "NAME",
        hide_possible_values = true
    )]
    pub theme: Option<ThemeName>,

    /// Clicks and the wheel work; the terminal's own selection of text needs shift then.
    #[arg(long, env = "MQINFORMER_MOUSE")]
    pub mouse: bool,

    /// For how long a cluster may be silent before it is given up.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// What `--theme` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// For a dark background.
    Dark,
    /// For a light one.
    Light,
    /// Without colours.
    None,
}

/// Whether there is a terminal for a screen.
pub fn is_possible() -> bool {
    screen::is_there()
}

/// Shows the screen until it is left.
pub async fn run(args: &TuiArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let word = args.word.as_deref().unwrap_or_default();
    show(word, &args.screen, scope, terminal).await
}

/// The same, on one type.
pub async fn watch(
    args: &WatchArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    show(&args.word, &args.screen, scope, terminal).await
}

async fn show(
    word: &str,
    args: &ScreenArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if !screen::is_there() {
        return Err(Failure::because(
            "this is a live screen, and stdin or stdout is no terminal; `get -w` prints each change",
        ));
    }
    let start = beginning(word, args, scope)?;
    terminal.progress(None)?;
    let limits = Limits {
        timeout: args.timeout,
        end: None,
        way: scope.place.way(),
    };
    Driver::new(args, limits)?.run(args, scope, start).await
}

fn beginning(word: &str, args: &ScreenArgs, scope: &Scope) -> Result<Start, Failure> {
    let (place, clusters, labels) = match &scope.place {
        Place::Broker(broker) => {
            let labels = args
                .clusters
                .cluster_selector
                .as_deref()
                .map(LabelSelector::parse);
            let labels = labels.transpose();
            let labels =
                labels.map_err(|error| Failure::because(format!("--cluster-selector: {error}")))?;
            let clusters = words_of(&args.clusters.cluster, &scope.groups);
            let clusters = clusters.map_err(|why| Failure::because(format!("--cluster: {why}")))?;
            (broker.broker.clone(), clusters, labels)
        }
        Place::Contexts(_) => {
            // What is wrong with these words is said as for every command.
            scope.selector(&args.clusters)?;
            ("kubeconfig".to_owned(), Vec::new(), None)
        }
    };
    let named = args
        .namespace
        .iter()
        .filter(|name| !name.is_empty() && !args.all_namespaces);
    Ok(Start {
        place,
        word: word.to_owned(),
        clusters,
        cluster_labels: labels,
        namespaces: named.cloned().collect(),
        groups: scope.groups.clone(),
        size: crossterm::terminal::size()?,
    })
}

fn theme(args: &ScreenArgs) -> Theme {
    let theme = Theme::of_environment(|name| std::env::var(name).ok());
    match args.theme {
        Some(ThemeName::Dark) => Theme {
            ground: Ground::Dark,
            ..theme
        },
        Some(ThemeName::Light) => Theme {
            ground: Ground::Light,
            ..theme
        },
        Some(ThemeName::None) => Theme {
            colours: Colours::None,
            ..theme
        },
        None => theme,
    }
}

/// What runs the screen.
struct Driver {
    screen: Screen,
    theme: Theme,
    start: Instant,
    feeds: Feeds,
    work: Work,
    drawn: Option<Instant>,
    ages_at: Instant,
    is_over: bool,
}

/// Signals that mean something here.
struct Signals {
    end: [Signal; 3],
    stop: Signal,
}

/// What woke the loop.
enum Wake {
    Happened(What),
    Attached(Result<Attached, Failure>),
    Stop,
    End,
    /// A frame, a tick or the ages are due.
    Due,
}

impl Driver {
    fn new(args: &ScreenArgs, limits: Limits) -> Result<Self, Failure> {
        let now = Instant::now();
        Ok(Self {
            screen: Screen::open(args.mouse)?,
            theme: theme(args),
            start: now,
            feeds: Feeds::new(now),
            work: Work::new(limits),
            drawn: None,
            ages_at: now + AGES,
            is_over: false,
        })
    }

    async fn run(mut self, args: &ScreenArgs, scope: &Scope, start: Start) -> Result<(), Failure> {
        let (mut app, effects) = update::start(&start);
        // Before anything is asked: a person sees at once that something has begun.
        self.draw(&mut app)?;
        for effect in effects {
            self.carry_out(&mut app, effect);
        }
        let mut keys = EventStream::new();
        let Signals { mut end, mut stop } = Signals::new()?;
        let mut attached = None;
        let attach = scope.attach(args.timeout).fuse();
        let mut attach = std::pin::pin!(attach);
        while !self.is_over {
            let due = self.due(&app);
            let wake = tokio::select! {
                biased;
                () = ended(&mut end) => Wake::End,
                _ = stop.recv() => Wake::Stop,
                key = keys.next() => match key {
                    Some(Ok(event)) => match happened(event) {
                        Some(what) => Wake::Happened(what),
                        None => continue,
                    },
                    // The terminal is gone.
                    Some(Err(_)) | None => Wake::End,
                },
                result = &mut attach, if attached.is_none() => Wake::Attached(result),
                what = self.work.next() => Wake::Happened(what),
                what = self.feeds.next() => Wake::Happened(what),
                () = tokio::time::sleep_until(due) => Wake::Due,
            };
            match wake {
                Wake::End => break,
                Wake::Stop => self.screen.suspend()?,
                Wake::Attached(Ok(way)) => {
                    self.feeds.attach(way.informer());
                    self.work.attach(way.informer());
                    attached = Some(Some(way));
                }
                Wake::Attached(Err(failure)) => {
                    attached = Some(None);
                    let why = failure.line().unwrap_or_default();
                    self.take(&mut app, What::NoWay(why));
                }
                Wake::Happened(what) => {
                    self.take(&mut app, what);
                    self.take_ready(&mut app, &mut keys);
                }
                Wake::Due => self.tick(&mut app),
            }
            if app.is_dirty && self.may_draw() {
                self.draw(&mut app)?;
            }
        }
        drop(self);
        if let Some(Some(way)) = attached {
            way.leave().await;
        }
        Ok(())
    }

    /// What came together is drawn together.
    fn take_ready(&mut self, app: &mut App, keys: &mut EventStream) {
        let until = Instant::now() + BURST;
        while !self.is_over && Instant::now() < until {
            if let Some(Some(Ok(event))) = keys.next().now_or_never() {
                if let Some(what) = happened(event) {
                    self.take(app, what);
                }
            } else if let Some(what) = self.work.ready().or_else(|| self.feeds.ready()) {
                self.take(app, what);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, app: &mut App, what: What) {
        let event = Event {
            now: self.now(),
            what,
        };
        for effect in update(app, event) {
            self.carry_out(app, effect);
        }
    }

    fn carry_out(&mut self, app: &mut App, effect: Effect) {
        match effect {
            Effect::Watch(feed, clusters, selection) => {
                self.feeds.watch(feed, clusters, *selection);
            }
            Effect::Leave(feed) => self.feeds.leave(feed),
            Effect::Copy(text) => {
                let many = text.lines().count();
                let told = match many {
                    1 => format!("copied {text}"),
                    many => format!("copied {many} lines"),
                };
                let done = self.screen.copy(&text).map(|()| told);
                self.take(app, What::Done(done.map_err(|error| error.to_string())));
            }
            Effect::Save { name, kind, text } => {
                let saved =
                    files::save(&name, kind, &text).map(|path| format!("saved {}", path.display()));
                self.take(
                    app,
                    What::Done(saved.map_err(|error| format!("not saved: {error}"))),
                );
            }
            Effect::Quit => self.is_over = true,
            Effect::Describe(request, described) => self.work.describe(request, described),
            Effect::ReadLog(request, cluster, log, after) => {
                self.work.read_log(request, &cluster, *log, after);
            }
            Effect::CloseLog(request) => self.work.close_log(request),
        }
    }

    /// What is due by now.
    fn tick(&mut self, app: &mut App) {
        let now = Instant::now();
        let is_over = update::next_tick(app).is_some_and(|at| self.start + at <= now);
        if self.ages_at <= now {
            self.ages_at = now + AGES;
            for what in self.feeds.ages() {
                self.take(app, what);
            }
            self.take(app, What::Tick);
        } else if is_over {
            self.take(app, What::Tick);
        }
    }

    /// When the loop has to look again although nothing happened.
    fn due(&self, app: &App) -> Instant {
        let tick = update::next_tick(app).map(|at| self.start + at);
        let frame = app
            .is_dirty
            .then(|| self.drawn.map_or(self.start, |drawn| drawn + FRAME));
        [tick, frame]
            .into_iter()
            .flatten()
            .chain([self.ages_at])
            .min()
            .unwrap_or(self.ages_at)
    }

    fn may_draw(&self) -> bool {
        self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME)
    }

    fn draw(&mut self, app: &mut App) -> Result<(), Failure> {
        self.screen.draw(app, &self.theme)?;
        app.is_dirty = false;
        self.drawn = Some(Instant::now());
        Ok(())
    }

    fn now(&self) -> Now {
        Now {
            at: self.start.elapsed(),
            wall_ms: wall_ms(),
        }
    }
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            end: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            ],
            // tokio has no name for it.
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
        })
    }
}

/// Waits for a signal that ends this.
async fn ended([terminate, hangup, interrupt]: &mut [Signal; 3]) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// What a terminal's event is here.
fn happened(event: Happened) -> Option<What> {
    match event {
        Happened::Key(key) if key.kind != KeyEventKind::Release => Some(What::Key(key)),
        Happened::Paste(text) => Some(What::Paste(text)),
        Happened::Resize(width, height) => Some(What::Resize(width, height)),
        Happened::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(What::Wheel(-3)),
            MouseEventKind::ScrollDown => Some(What::Wheel(3)),
            MouseEventKind::Down(MouseButton::Left) => Some(What::Click(mouse.column, mouse.row)),
            _ => None,
        },
        _ => None,
    }
}
