//! Every number of the protocol that somebody may want to be another one.

use std::time::Duration;

/// The constants of the rules; `default()` is what the program ships with, tests choose others.
#[derive(Clone, Debug)]
pub struct Settings {
    /// H: a stream without changes says so this often; three of five lost ones are noticed.
    pub heartbeat: Duration,
    /// How long a gap may heal by itself before it is asked about; the measured round trip if that is more.
    pub grace: Duration,
    /// Requests that many consumers would send at one moment are spread over so much.
    pub jitter: Duration,
    /// How long the first answer may take before it is asked for again.
    pub first_timeout: Duration,
    /// Bounds of that time once a round trip was measured.
    pub timeout: (Duration, Duration),
    /// How far a `Status` puts the next re-ask off.
    pub status_hold: Duration,
    /// How long a source serves a session unasked. A consumer renews when a third of it has passed.
    pub lease: Duration,
    /// The longest lease that a source grants, whatever a consumer asks for.
    pub longest_lease: Duration,
    /// How long a feed whose last session *left* is kept warm.
    pub linger: Duration,
    /// How long a snapshot is kept for a session that does not ask for its next part.
    pub snapshot_idle: Duration,
    /// How often a consumer that waits for a list is told so.
    pub status_interval: Duration,
    /// How long a source that starts listens for a presence before it takes the name.
    pub settle: Duration,
    /// After a writer's last will: how long a sign of it still counts.
    pub will_grace: Duration,
    /// Silence of a writer after which a standby takes over: this, and up to a fifth more at random.
    pub writer_silence: Duration,
    /// A `Live` whose upstream is older than this is no sign of a healthy writer.
    pub stuck: Duration,
    /// How often a standby asks `Who` in the second half of a writer's silence.
    pub who_interval: Duration,
    /// An answer that is older than what is shown is not believed before its source, whose API server answers it, has
    /// said the same for so long: its backup was restored.
    pub restored_after: Duration,
    /// A presence is told again at most this often.
    pub presence_interval: Duration,
    /// A presence is told anew this often, so that the broker's copy does not expire.
    pub presence_refresh: Duration,
    /// Consumers may make a source renew its term at most this often.
    pub renewal_interval: Duration,
    /// How far above the clock a term that a consumer claims may lie, in ms.
    pub claim_bound_ms: u64,
    /// The largest message, its framing included, in bytes.
    pub message_bytes: usize,
    /// What of it is kept for everything but entries.
    pub framing_bytes: usize,
    /// Pages that one ask may bring.
    pub window: u32,
    /// Bytes of flushes that cannot be applied yet; the bytes of the copy if that is more.
    pub buffer_bytes: usize,
    /// Values that the backing of a thin copy has not stored yet, in bytes: with more than that it takes nothing in.
    pub unsettled_bytes: usize,
    /// Values that are fetched from the backing for one step, in bytes; if it were more, the source is asked.
    pub bases_bytes: usize,
    /// After so long without an answer of the backing the source is asked.
    pub fetch_timeout: Duration,
    /// The largest value that is unpacked, in bytes.
    pub value_bytes: usize,
    /// The largest answer that is staged, in bytes.
    pub answer_bytes: usize,
    /// The most digests that a `Sync` carries; a power of two.
    pub most_buckets: u32,
    /// Feeds of one source.
    pub feeds: usize,
    /// Feeds of one source that one user has sessions with.
    pub feeds_per_user: usize,
    /// Sessions of one user on one stream; the longest idle one goes.
    pub sessions_per_user: usize,
    /// The same where the broker is anonymous and all are one user. Then `feeds` bounds that user's feeds, too.
    pub sessions_anonymous: usize,
    /// Logs that one source reads at once.
    pub logs: usize,
    /// Those of one user; where the broker is anonymous, `logs` is the only bound.
    pub logs_per_user: usize,
}

impl Settings {
    /// What one message may become when it is unpacked. A sender cuts before it packs, so an honest message unpacks to
    /// what the sender's own limit says, which may be larger than ours; a hostile one costs no more than this.
    pub fn unpacked_bytes(&self) -> usize {
        self.message_bytes.saturating_mul(16)
    }

    /// After so long without a heartbeat a copy is stale and a stream is asked about: two lost ones are forgiven.
    pub fn stale_after(&self) -> Duration {
        self.heartbeat * 5 / 2
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(2),
            grace: Duration::from_millis(50),
            jitter: Duration::from_millis(60),
            first_timeout: Duration::from_millis(500),
            timeout: (Duration::from_millis(100), Duration::from_secs(5)),
            status_hold: Duration::from_secs(5),
            lease: Duration::from_secs(60),
            longest_lease: Duration::from_secs(600),
            linger: Duration::from_secs(30),
            snapshot_idle: Duration::from_secs(30),
            status_interval: Duration::from_secs(1),
            settle: Duration::from_millis(200),
            will_grace: Duration::from_secs(1),
            writer_silence: Duration::from_secs(30),
            stuck: Duration::from_secs(30),
            who_interval: Duration::from_secs(4),
            restored_after: Duration::from_secs(30),
            presence_interval: Duration::from_secs(1),
            presence_refresh: Duration::from_secs(3600),
            renewal_interval: Duration::from_secs(60),
            claim_bound_ms: 10 * 366 * 24 * 3600 * 1000,
            message_bytes: 64 * 1024,
            framing_bytes: 3 * 1024,
            window: 16,
            buffer_bytes: 1024 * 1024,
            unsettled_bytes: 16 * 1024 * 1024,
            bases_bytes: 16 * 1024 * 1024,
            fetch_timeout: Duration::from_secs(5),
            value_bytes: 16 * 1024 * 1024,
            answer_bytes: 1024 * 1024 * 1024,
            most_buckets: 4096,
            feeds: 256,
            feeds_per_user: 64,
            sessions_per_user: 64,
            sessions_anonymous: 1024,
            logs: 128,
            logs_per_user: 64,
        }
    }
}
