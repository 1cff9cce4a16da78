//! The loop: what happens goes in, what is wanted is done, and what came of it is drawn.
//!
//! What is ready is taken at once and together, so that a burst of changes is one frame; frames have their [`Pace`], and there
//! is none while nothing has changed.

use super::feeds::Feeds;
use super::keys::Keys;
use super::pace::Pace;
use super::screen::Screen;
use super::work::Work;
use super::{ScreenArgs, files, theme};
use crate::cache::Cache;
use crate::clock::wall_ms;
use crate::commands::reader::Limits;
use crate::error::Failure;
use crate::scope::{Attached, Scope};
use crate::tui::app::{App, Start};
use crate::tui::event::{Effect, Event, What};
use crate::tui::grid::Now;
use crate::tui::theme::Theme;
use crate::tui::update::{self, update};
use futures::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// Ages and lags are told anew so often.
const AGES: Duration = Duration::from_secs(1);
/// What is ready is taken for so long at most before it is drawn.
const BURST: Duration = Duration::from_millis(8);

/// What runs the screen.
pub(super) struct Driver {
    screen: Screen,
    theme: Theme,
    start: Instant,
    feeds: Feeds,
    work: Work,
    pace: Pace,
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
    /// Takes the terminal over.
    pub(super) fn new(
        args: &ScreenArgs,
        limits: Limits,
        cache: Option<Arc<Cache>>,
    ) -> Result<Self, Failure> {
        let now = Instant::now();
        Ok(Self {
            screen: Screen::open(args.mouse)?,
            theme: theme(args),
            start: now,
            feeds: Feeds::new(now, cache),
            work: Work::new(limits),
            pace: Pace::new(now),
            ages_at: now + AGES,
            is_over: false,
        })
    }

    /// Runs until the screen is left.
    pub(super) async fn run(
        mut self,
        args: &ScreenArgs,
        scope: &Scope,
        start: Start,
    ) -> Result<(), Failure> {
        // A signal must find somebody who gives the terminal back.
        let Signals { mut end, mut stop } = Signals::new()?;
        let (mut app, effects) = update::start(&start);
        // Before anything is asked: a person sees at once that something has begun.
        self.draw(&mut app)?;
        for effect in effects {
            self.carry_out(&mut app, effect);
        }
        let mut keys = Keys::new();
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
                    Some(what) => Wake::Happened(what),
                    // The terminal is gone.
                    None => Wake::End,
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
                Wake::Due => {}
            }
            // Not only when nothing else happens.
            self.tick(&mut app);
            if self.frame(&app).is_some_and(|at| at <= Instant::now()) {
                self.draw(&mut app)?;
            }
        }
        drop(self);
        if let Some(Some(way)) = attached {
            way.leave().await;
        }
        Ok(())
    }

    /// What came together is drawn together. Each kind of news gets its turn: a log that floods keeps no change waiting.
    fn take_ready(&mut self, app: &mut App, keys: &mut Keys) {
        let until = Instant::now() + BURST;
        while !self.is_over && Instant::now() < until && !self.pace.hurries(Instant::now()) {
            let news = [keys.ready(), self.feeds.ready(), self.work.ready()];
            if news.iter().all(Option::is_none) {
                return;
            }
            for what in news.into_iter().flatten() {
                self.take(app, what);
            }
        }
    }

    fn take(&mut self, app: &mut App, what: What) {
        if what.is_typed() {
            self.pace.typed();
        }
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
        [tick, self.frame(app)]
            .into_iter()
            .flatten()
            .chain([self.ages_at])
            .min()
            .unwrap_or(self.ages_at)
    }

    /// From when on a frame may be drawn; none while nothing is different.
    fn frame(&self, app: &App) -> Option<Instant> {
        match (app.is_dirty, app.is_dirty_aside) {
            (true, _) => Some(self.pace.due()),
            (false, true) => Some(self.pace.due_aside()),
            (false, false) => None,
        }
    }

    fn draw(&mut self, app: &mut App) -> Result<(), Failure> {
        let begun = Instant::now();
        self.screen.draw(app, &self.theme)?;
        (app.is_dirty, app.is_dirty_aside) = (false, false);
        self.pace.drawn(begun);
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
