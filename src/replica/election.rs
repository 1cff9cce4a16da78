//! Which of the processes with one cluster's name writes.
//!
//! - **F2 Epoch.** A term is a number above the clock and above every number heard of, and a random nonce: the newest
//!   wins. *Else consumers refuse a restarted source whose clock went back, and two sources that started at once mix
//!   their numbers.*
//! - **F3 One writer.** Who hears of a newer term stands by, silent and ready. It takes over when the writer's last
//!   will came, or when the writer was silent for long. *Else two write for ever.*
//!   - A writer whose API server hangs is silent, whatever it sends: its old news and its presence do not count. *Else
//!     a stuck writer keeps a healthy standby waiting for ever.*
//!   - A standby asks before it believes in silence: a writer that nobody reads is silent by right. *Else two replicas
//!     without readers take turns every 30 s for ever.*
//!   - A consumer that has heard of a newer term makes the writer renew its own, above the highest that was claimed,
//!     and once a minute at most. *Else readers refuse a source whose clock went back and whose presence was lost; or a
//!     consumer that lies uses up each minute's renewal, and an honest one waits for ever.*
//!   - Who is the writer and hears an older presence, or its own last will, says its own again. *Else the retained
//!     presence tells that the cluster is gone, or another writes.*

use super::mutants::mutant;
use super::settings::Settings;
use super::time::{Jitter, Moment};
use crate::protocol::message::{Presence, Term};
use std::time::Duration;

/// What an election decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This process writes from now on, with a new term.
    TakeOver,
    /// It goes on writing, with a new term: every feed begins anew.
    Renew,
    /// Another one writes.
    StandBy,
    /// Say the presence (again).
    Tell,
    /// Ask who is there.
    Ask,
}

/// Where this process stands.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// It has not taken the name yet.
    Starting,
    /// It writes.
    Writing,
    /// It waits for the writer to go.
    StandingBy(Rival),
}

/// The writer, seen from a standby.
#[derive(Clone, Debug)]
pub(super) struct Rival {
    pub(super) term: Term,
    pub(super) foreign: bool,
    heard: Moment,
    will: Option<Moment>,
    patience: Duration,
    asked: Option<Moment>,
}

/// One process' view of who writes.
#[derive(Debug)]
pub(super) struct Election {
    settings: Settings,
    cluster_uid: String,
    /// Who was heard under my name before I knew which cluster I serve.
    unjudged: Option<Presence>,
    jitter: Jitter,
    phase: Phase,
    /// My own term; number 0 before the first.
    term: Term,
    /// The highest number of anybody else's presence.
    heard: u64,
    /// The highest term that a consumer claimed.
    claimed: Term,
    renewed: Option<Moment>,
    told: Option<Moment>,
    tell: bool,
    link_up: Option<Moment>,
    api_heard: Option<Moment>,
    /// It did not answer when it was last asked.
    api_failed: bool,
    stood_by: bool,
}

impl Election {
    pub(super) fn new(settings: Settings, me: &Presence, seed: u64) -> Self {
        let nonce = if mutant!(NoNonce) { 0 } else { me.term.nonce };
        Self {
            settings,
            cluster_uid: me.cluster_uid.clone(),
            unjudged: None,
            jitter: Jitter::new(seed),
            phase: Phase::Starting,
            term: Term { number: 0, nonce },
            heard: 0,
            claimed: Term::default(),
            renewed: None,
            told: None,
            tell: false,
            link_up: None,
            api_heard: None,
            api_failed: false,
            stood_by: false,
        }
    }

    pub(super) fn term(&self) -> Term {
        self.term
    }

    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    pub(super) fn writes(&self) -> bool {
        matches!(self.phase, Phase::Writing)
    }

    /// Whether the API server was heard lately.
    pub(super) fn api_answers(&self, now: Moment) -> bool {
        self.api_heard
            .is_some_and(|heard| now.since(heard) <= self.settings.stale_after())
    }

    pub(super) fn link_up(&mut self, now: Moment) {
        self.link_up = Some(now);
        self.tell = true;
        if let Phase::StandingBy(rival) = &mut self.phase {
            rival.will = rival.will.map(|_| now);
        }
    }

    /// It would write if only its API server answered: since when. None if that is not why, or if somebody else is
    /// there.
    pub(super) fn waits_for_api(&self, now: Moment) -> Option<Moment> {
        let up = self.link_up?;
        let alone = !self.unjudged.as_ref().is_some_and(|heard| heard.online);
        let starting = matches!(self.phase, Phase::Starting) && !self.api_answers(now);
        // Who has just come may have asked its API server, and not have heard yet.
        let since = up + self.settings.settle + self.settings.status_interval;
        (starting && alone && (self.api_failed || now >= since)).then_some(up)
    }

    pub(super) fn link_down(&mut self) {
        self.link_up = None;
    }

    /// Which cluster I serve, as its API server says.
    pub(super) fn describe(&mut self, now: Moment, cluster_uid: &str) {
        cluster_uid.clone_into(&mut self.cluster_uid);
        if let Some(heard) = self.unjudged.take() {
            self.presence(now, &heard);
        }
    }

    pub(super) fn api_alive(&mut self, now: Moment) {
        self.api_failed = false;
        self.api_heard = Some(now);
    }

    pub(super) fn api_down(&mut self) {
        self.api_failed = true;
        self.api_heard = None;
    }

    /// Somebody of my cluster's name was heard of: born, dying, or answering. Perhaps myself.
    pub(super) fn presence(&mut self, now: Moment, heard: &Presence) {
        if heard.term.nonce == self.term.nonce {
            self.tell |= !heard.online || heard.term < self.term;
            return;
        }
        if heard.online && heard.term.number == 0 {
            return; // It waits, too.
        }
        self.heard = self.heard.max(heard.term.number);
        let foreign = self.is_foreign(heard);
        match &mut self.phase {
            Phase::Writing if heard.term > self.term => {
                if !mutant!(LoserGoesOn) {
                    self.stand_by(now, heard.term, foreign);
                }
            }
            Phase::Writing => self.tell |= !mutant!(NoPresenceToOneBelow),
            Phase::Starting if foreign && heard.online => {
                self.stand_by(now, heard.term, foreign);
            }
            Phase::Starting => self.unjudged = Some(heard.clone()),
            Phase::StandingBy(rival) if rival.term.nonce == heard.term.nonce => {
                rival.term = rival.term.max(heard.term);
                rival.foreign = foreign;
                if heard.online {
                    rival.sign(now);
                } else {
                    rival.will = Some(now);
                }
            }
            Phase::StandingBy(rival) if heard.online && heard.term > rival.term => {
                self.stand_by(now, heard.term, foreign);
            }
            Phase::StandingBy(_) => {}
        }
    }

    /// Another cluster under my name, as far as both say which they are.
    fn is_foreign(&self, heard: &Presence) -> bool {
        let known = !heard.cluster_uid.is_empty() && !self.cluster_uid.is_empty();
        known && heard.cluster_uid != self.cluster_uid
    }

    fn stand_by(&mut self, now: Moment, writer: Term, foreign: bool) {
        let more = self.jitter.up_to(self.settings.writer_silence / 5);
        self.stood_by = true;
        self.phase = Phase::StandingBy(Rival {
            term: writer,
            foreign,
            heard: now,
            will: None,
            patience: self.settings.writer_silence + more,
            asked: None,
        });
    }

    /// A change of some stream of my cluster was heard.
    pub(super) fn live(&mut self, now: Moment, term: Term, upstream_age: Duration) {
        if let Phase::StandingBy(rival) = &mut self.phase
            && rival.term.nonce == term.nonce
            && (upstream_age < self.settings.stuck || mutant!(StuckWriterHeard))
        {
            rival.sign(now);
        }
    }

    /// A consumer claims to have heard of a term. False: it lies, and is not to be served.
    ///
    /// The bound is counted from the clock and from presences, which only sources can write: never from my own number,
    /// which earlier claims may have raised.
    pub(super) fn claim(&mut self, term: Term, wall_ms: u64) -> bool {
        let bound = wall_ms
            .max(self.heard)
            .saturating_add(self.settings.claim_bound_ms);
        if term.number > bound {
            return false;
        }
        if term > self.term && !mutant!(SyncEpochIgnored) {
            let forget = mutant!(HighestAskedForgotten);
            self.claimed = if forget { term } else { self.claimed.max(term) };
        }
        true
    }

    /// A consumer believes in a term below mine: it missed my presence.
    pub(super) fn tell(&mut self) {
        self.tell = true;
    }

    /// The next decision, until there is none.
    pub(super) fn poll(&mut self, now: Moment, wall_ms: u64) -> Option<Verdict> {
        if std::mem::take(&mut self.stood_by) {
            return Some(Verdict::StandBy);
        }
        let up = self.link_up?;
        if mutant!(StandbyRenews) && self.claimed > self.term && !self.writes() {
            return Some(self.take_over(wall_ms));
        }
        let answers = self.api_answers(now);
        match &mut self.phase {
            Phase::Starting => {
                let settled = now >= up + self.settings.settle;
                (settled && answers).then(|| self.take_over(wall_ms))
            }
            Phase::Writing => {
                if self.renew_at().is_some_and(|at| at <= now) {
                    self.renewed = Some(now);
                    self.number(wall_ms);
                    return Some(Verdict::Renew);
                }
                let due = self.tell_at().is_some_and(|at| at <= now);
                due.then(|| self.told(now))
            }
            Phase::StandingBy(rival) => {
                let over = rival.over_at(&self.settings, up) <= now;
                if over && answers {
                    return Some(self.take_over(wall_ms));
                }
                let ask = rival.ask_at(&self.settings, up) <= now;
                ask.then(|| {
                    rival.asked = Some(now);
                    Verdict::Ask
                })
            }
        }
    }

    /// When to poll next at the latest.
    pub(super) fn next_deadline(&self, now: Moment) -> Option<Moment> {
        let up = self.link_up?;
        match &self.phase {
            Phase::Starting => self.api_answers(now).then(|| up + self.settings.settle),
            Phase::Writing => [self.renew_at(), self.tell_at()]
                .into_iter()
                .flatten()
                .min(),
            Phase::StandingBy(rival) => {
                let over = rival.over_at(&self.settings, up);
                let over = (over > now || self.api_answers(now)).then_some(over);
                over.into_iter()
                    .chain([rival.ask_at(&self.settings, up)])
                    .min()
            }
        }
    }

    fn take_over(&mut self, wall_ms: u64) -> Verdict {
        self.phase = Phase::Writing;
        self.tell = true;
        self.number(wall_ms);
        Verdict::TakeOver
    }

    /// A number above the clock's and all that were heard of, or claimed.
    fn number(&mut self, wall_ms: u64) {
        let above = self.term.number.max(self.claimed.number).max(self.heard);
        self.term.number = wall_ms.max(above.saturating_add(1));
        self.tell = true;
        self.told = None;
    }

    fn renew_at(&self) -> Option<Moment> {
        let earliest = match self.renewed {
            Some(last) if !mutant!(NoMinute) => last + self.settings.renewal_interval,
            _ => Moment::AT_ONCE,
        };
        (self.claimed > self.term).then_some(earliest)
    }

    fn tell_at(&self) -> Option<Moment> {
        match self.told {
            None => Some(Moment::AT_ONCE),
            Some(told) if self.tell => Some(told + self.settings.presence_interval),
            Some(told) => Some(told + self.settings.presence_refresh),
        }
    }

    fn told(&mut self, now: Moment) -> Verdict {
        self.tell = false;
        self.told = Some(now);
        Verdict::Tell
    }
}

impl Rival {
    fn sign(&mut self, now: Moment) {
        self.heard = now;
        self.will = None;
    }

    /// When it counts as gone.
    fn over_at(&self, settings: &Settings, link_up: Moment) -> Moment {
        if mutant!(NoTakeOver) {
            return Moment::NEVER;
        }
        let silent = self.heard.max(link_up) + self.patience;
        match self.will {
            Some(will) => silent.min(will + settings.will_grace),
            None => silent,
        }
    }

    /// When to ask whether it is there: in the second half of its silence, and then again and again.
    fn ask_at(&self, settings: &Settings, link_up: Moment) -> Moment {
        if mutant!(NoWho) {
            return Moment::NEVER;
        }
        let half = self.heard.max(link_up) + settings.writer_silence / 2;
        match self.asked {
            Some(asked) => half.max(asked + settings.who_interval),
            None => half,
        }
    }
}
