//! What one seed does: a scenario, and how hostile its world is.

use super::backings::Habits;
use super::rng::Rng;
use crate::replica::settings::Settings;
use std::time::Duration;

/// The kinds of scenarios. Most seeds mix everything; the others look closely at what a mixture reaches rarely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Every kind of fault, at random.
    Mixed,
    /// None at all: counts what peace costs.
    Calm,
    /// Only the source's link breaks, for a moment: nobody should notice.
    Flaps,
    /// Long answers in small windows, slow links, duplicates.
    Long,
    /// Several sources of one name.
    Rivals,
    /// Sources that restart with clocks that went back, consumers that lie.
    Liars,
    /// A link that loses, and nothing else.
    Lossy,
}

/// How often each fault comes, on average; zero: never.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) source_link: Duration,
    pub(super) source_restart: Duration,
    pub(super) viewer_link: Duration,
    pub(super) viewer_restart: Duration,
    pub(super) relist: Duration,
    pub(super) hang: Duration,
    pub(super) corrupt: Duration,
    pub(super) rival: Duration,
}

/// What becomes of a last will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wills {
    OnTime,
    Late,
    Lost,
    Any,
}

/// What a lying consumer claims to have heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// One more than the source's own number.
    OwnAndOne,
    /// The highest that is believed.
    Bound,
    Any,
}

/// One seed's world.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) scenario: Scenario,
    pub(super) settings: Settings,
    pub(super) streams: usize,
    pub(super) viewers: usize,
    pub(super) sources: usize,
    pub(super) keys: usize,
    /// Keys that share one bucket, or one hash.
    pub(super) key_prefix: &'static str,
    /// Values of two letters: A to B to A.
    pub(super) two_letters: bool,
    pub(super) value_bytes: usize,
    pub(super) deltas: bool,
    pub(super) churn: Duration,
    pub(super) loss: f64,
    pub(super) duplicates: f64,
    pub(super) ordered: bool,
    /// One way, in ms.
    pub(super) delay_ms: (u64, u64),
    /// Between two pages on the bulk connection.
    pub(super) page_every: Duration,
    /// Pages that a viewer has outstanding over all its streams.
    pub(super) window: u32,
    pub(super) list_ms: (u64, u64),
    pub(super) watch_lag_ms: u64,
    /// Every other source has that lag always, the rest none; else each has up to that much, at random.
    pub(super) lags_unevenly: bool,
    pub(super) half_lists: f64,
    pub(super) faults: Faults,
    pub(super) wills: Wills,
    pub(super) clock_back: bool,
    /// By how much, for processes after the first.
    pub(super) back_ms: &'static [u64],
    pub(super) clock_coarse: bool,
    pub(super) presence_lost: f64,
    pub(super) stuck_stays: bool,
    pub(super) liars: usize,
    pub(super) lies: Lies,
    pub(super) lie_every: Duration,
    pub(super) faults_for: Duration,
    pub(super) backing: Habits,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let rng = &mut Rng::new(seed);
        let scenario = match seed % 16 {
            0 => Scenario::Calm,
            1 => Scenario::Flaps,
            2 | 3 => Scenario::Long,
            4..=6 => Scenario::Rivals,
            7 | 8 => Scenario::Liars,
            9 => Scenario::Lossy,
            _ => Scenario::Mixed,
        };
        let mut plan = Self::mixed(rng);
        plan.scenario = scenario;
        plan.direct(rng);
        // By other random numbers: the seeds without thin viewers are what they were before there were any.
        plan.thin_out(&mut Rng::new(seed ^ 0x7ee1));
        // So that whole answers of all streams, one page a round trip, take a few seconds only.
        let collection = plan.keys * (plan.value_bytes + 24);
        let message_bytes = plan.settings.message_bytes.max(collection / 16);
        plan.settings.message_bytes = message_bytes;
        plan
    }

    /// After the faults: until a writer that is gone, stuck or lied about is replaced, and everyone has followed.
    pub(super) fn settle_for(&self) -> Duration {
        let settings = &self.settings;
        let mut time = Duration::from_secs(15) + self.answers_take() * 2;
        if self.roles_change() {
            time += settings.stuck + settings.writer_silence * 6 / 5 + Duration::from_secs(5);
        }
        if self.liars > 0 || self.roles_change() {
            time += settings.renewal_interval;
        }
        time
    }

    /// How long it takes to answer all streams of a viewer, once the faults have ceased. With a small buffer the
    /// changes that come meanwhile are forgotten and asked for again, so this is how far behind it may be.
    pub(super) fn answers_take(&self) -> Duration {
        let pages = self.keys * (self.value_bytes * 2 + 24) / self.settings.message_bytes + 2;
        let trips =
            (pages * self.streams) as u32 / self.window.min(self.settings.window).max(1) + 1;
        Duration::from_millis(self.delay_ms.1.min(40) * 4 + 2) * trips
    }

    fn roles_change(&self) -> bool {
        !self.faults.rival.is_zero() || !self.faults.source_restart.is_zero() || self.sources > 1
    }

    /// The longest way of a message, one way and back.
    pub(super) fn transit(&self) -> Duration {
        Duration::from_millis(self.delay_ms.1 * 2)
    }

    fn mixed(rng: &mut Rng) -> Self {
        let often = |rng: &mut Rng, probability: f64, low: u64, high: u64| {
            let time = rng.millis(low * 1000..=high * 1000);
            if rng.chance(probability) {
                time
            } else {
                Duration::ZERO
            }
        };
        let faults = Faults {
            source_link: often(rng, 0.5, 2, 20),
            source_restart: often(rng, 0.4, 4, 30),
            viewer_link: often(rng, 0.5, 2, 20),
            viewer_restart: often(rng, 0.4, 3, 30),
            relist: often(rng, 0.5, 2, 20),
            hang: often(rng, 0.3, 5, 30),
            corrupt: often(rng, 0.2, 3, 20),
            rival: often(rng, 0.25, 5, 30),
        };
        let slow = rng.chance(0.15);
        let high = if slow {
            1500
        } else {
            rng.pick(&[2, 20, 60, 200, 600])
        };
        let low = if rng.chance(0.5) { high / 3 } else { 1 };
        Self {
            scenario: Scenario::Mixed,
            settings: settings(rng),
            streams: 3,
            viewers: rng.among(1..=3) as usize,
            sources: if rng.chance(0.15) { 2 } else { 1 },
            keys: rng.pick(&[1, 3, 10, 20, 40]),
            key_prefix: rng.pick(&["", "", "", "\u{1}b", "\u{1}e"]),
            two_letters: rng.chance(0.5),
            value_bytes: rng.pick(&[1, 4, 12, 12, 60, 300]),
            deltas: rng.chance(0.6),
            churn: rng.pick(&[5, 20, 60, 200, 1000]).millis(),
            loss: rng.pick(&[0.0, 0.0, 0.01, 0.1, 0.3, 0.5]),
            duplicates: rng.pick(&[0.0, 0.0, 0.05, 0.3]),
            ordered: rng.chance(0.5),
            delay_ms: (low, high),
            page_every: rng.pick(&[0, 1, 10, 40]).millis(),
            window: rng.pick(&[1, 2, 4, 16, 64]),
            list_ms: rng.pick(&[(5, 30), (50, 400), (500, 3000)]),
            watch_lag_ms: rng.pick(&[1, 10, 50]),
            lags_unevenly: false,
            half_lists: rng.pick(&[0.0, 0.0, 0.3]),
            faults,
            wills: rng.pick(&[Wills::OnTime, Wills::Late, Wills::Lost, Wills::Any]),
            clock_back: rng.chance(0.4),
            back_ms: &[0, 1_000, 60_000],
            clock_coarse: rng.chance(0.3),
            presence_lost: rng.pick(&[0.0, 0.0, 0.5, 1.0]),
            stuck_stays: rng.chance(0.5),
            liars: usize::from(rng.chance(0.15)),
            lies: rng.pick(&[Lies::OwnAndOne, Lies::OwnAndOne, Lies::Bound, Lies::Any]),
            lie_every: rng.pick(&[10, 100, 700]).millis(),
            faults_for: rng.millis(8_000..=25_000),
            backing: Habits::none(),
        }
    }

    fn direct(&mut self, rng: &mut Rng) {
        match self.scenario {
            Scenario::Mixed => {}
            Scenario::Calm => {
                self.peace();
                self.faults = Faults::default();
            }
            Scenario::Flaps => {
                self.peace();
                self.faults = Faults {
                    source_link: rng.millis(1000..=4000),
                    ..Faults::default()
                };
                self.churn = rng.pick(&[5, 20, 60]).millis();
            }
            Scenario::Lossy => {
                self.faults = Faults::default();
                self.liars = 0;
                self.sources = 1;
                self.loss = rng.pick(&[0.05, 0.2, 0.5]);
            }
            Scenario::Long => {
                self.keys = rng.pick(&[20, 40]);
                self.window = rng.pick(&[1, 2, 4]);
                self.duplicates = rng.pick(&[0.0, 0.3, 0.6]);
                self.value_bytes = 60;
                self.settings.message_bytes = rng.pick(&[100, 200]);
                self.churn = rng.pick(&[20, 60, 200]).millis();
                self.delay_ms.1 = self.delay_ms.1.max(20);
            }
            Scenario::Rivals => {
                self.faults.rival = rng.millis(3000..=10_000);
                self.sources = rng.among(1..=2) as usize;
                self.liars = 0;
                if rng.chance(0.5) {
                    self.lagging_rivals(rng);
                }
            }
            Scenario::Liars => {
                self.liars = rng.among(0..=2) as usize;
                self.faults.source_restart = rng.millis(3000..=10_000);
                self.clock_back = rng.chance(0.8);
                self.presence_lost = rng.pick(&[0.5, 1.0]);
                if rng.chance(0.4) {
                    self.busy_liar();
                }
            }
        }
    }

    /// Some viewers hold no values, and their databases have their habits.
    fn thin_out(&mut self, rng: &mut Rng) {
        self.backing = Habits::new(rng);
        self.settings.unsettled_bytes = rng.pick(&[0, 100, 1 << 20, 1 << 20]);
        self.settings.bases_bytes = rng.pick(&[0, 100, 1 << 20, 1 << 20]);
        self.settings.fetch_timeout = rng.pick(&[100, 1_000, 5_000]).millis();
        if matches!(self.scenario, Scenario::Calm | Scenario::Flaps) {
            self.backing.heal();
            (self.settings.unsettled_bytes, self.settings.bases_bytes) = (1 << 20, 1 << 20);
            self.settings.fetch_timeout = 5_000.millis();
        }
    }

    /// The watch of every other source is far behind, and news of it is lost: the one before goes on, and is ahead.
    fn lagging_rivals(&mut self, rng: &mut Rng) {
        (self.sources, self.viewers) = (1, 3);
        (self.watch_lag_ms, self.lags_unevenly) = (3_000, true);
        self.loss = rng.pick(&[0.3, 0.5]);
        self.churn = rng.pick(&[5, 20, 60]).millis();
        self.delay_ms = (1, rng.pick(&[2, 20, 60]));
    }

    /// Sources that begin far below what readers have heard of, and a liar that never stops claiming a little more than
    /// theirs.
    fn busy_liar(&mut self) {
        (self.liars, self.lies, self.lie_every) = (1, Lies::OwnAndOne, 10.millis());
        (self.clock_back, self.back_ms) = (true, &[60_000]);
        (self.presence_lost, self.wills) = (1.0, Wills::Lost);
        (self.sources, self.faults.rival) = (1, Duration::ZERO);
    }

    /// Nothing is lost, late, or out of order, and nobody goes away.
    fn peace(&mut self) {
        (self.loss, self.duplicates, self.ordered) = (0.0, 0.0, true);
        (self.liars, self.sources) = (0, 1);
        self.half_lists = 0.0;
        self.settings.buffer_bytes = 1 << 20;
        self.settings.lease = Duration::from_secs(60);
        self.delay_ms.1 = self.delay_ms.1.min(200);
        self.delay_ms.0 = self.delay_ms.1;
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let scale = rng.pick(&[1, 5, 5, 5, 5]);
    let message_bytes = rng.pick(&[64, 150, 400, 2000]);
    Settings {
        lease: Duration::from_secs(rng.pick(&[3, 3, 9, 60])),
        linger: Duration::from_secs(rng.pick(&[1, 30])),
        snapshot_idle: Duration::from_secs(rng.pick(&[8, 30])),
        writer_silence: Duration::from_secs(30) / scale,
        stuck: Duration::from_secs(30) / scale,
        who_interval: Duration::from_secs(4) / scale,
        renewal_interval: Duration::from_secs(60) / scale,
        message_bytes,
        framing_bytes: 0,
        window: rng.pick(&[1, 2, 4, 16]),
        buffer_bytes: rng.pick(&[0, (message_bytes + 128) * 3, 1 << 20]),
        most_buckets: rng.pick(&[1, 2, 8, 32]),
        feeds_per_user: 3,
        sessions_per_user: rng.pick(&[4, 64]),
        sessions_anonymous: 64,
        ..Settings::default()
    }
}

/// `5.millis()` reads better than its long form in tables.
pub(super) trait Millis {
    fn millis(self) -> Duration;
}

impl Millis for u64 {
    fn millis(self) -> Duration {
        Duration::from_millis(self)
    }
}
