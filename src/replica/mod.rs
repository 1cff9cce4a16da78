//! A consistent, self-healing copy of a keyed collection: both sides of the protocol, as pure state machines.
//!
//! A *stream* is a keyed collection of small byte values that one source owns and any number of consumers copy over a
//! broker that loses, repeats and reorders. [`Publisher`] is the source's side, for all streams of a process;
//! [`Reflector`] the consumer's side of one stream. Both are fed with what was heard and the time, and say what to
//! send.
//!
//! **Architecture invariant:** this module does no IO, reads no clock and draws no random number that its caller did
//! not seed. Nothing in it waits. What comes from outside is hostile until it was checked, and is bounded.
//!
//! # The invariant of the protocol
//! **At every moment a copy is exactly the state that the source had at one (epoch, seq) which it published or answered
//! with, and (epoch, seq) never goes back.** So nothing is ever applied out of order, and entries need no numbers of
//! their own and no tombstones. Each step is made beside the copy, and takes its place only if its digest is the one
//! that the source told for that (epoch, seq): what is shown was never anything else, even if there is a bug somewhere.
//!
//! # The life of a copy
//! - `Sync{rid, epoch, digests, from, max_messages, lease}` says "this is what I have". It is the only request;
//!   everything that goes wrong ends in one.
//! - The source takes a snapshot and answers with `Page`s of it: what lies in the hash buckets whose digests differ. At
//!   most `max_messages` pages come for one ask, so a consumer is never sent more than it asked for.
//! - Changes leave as *flushes*, one step `prev → to` each, as `Live` messages to all consumers. A flush without
//!   changes is a heartbeat.
//! - `Status` says in words why there is no answer yet. `Presence` says who writes.
//!
//! # The rules, and what goes wrong without each
//! Where a rule lives, its module says it again. Every one has a mutant in the tests that breaks it, and the
//! `simulator` notices.
//!
//! | rule | in short | without it |
//! |---|---|---|
//! | F1 truth (`feed`, `stream`) | nothing but words before the first complete list; a relist is diffed | an empty or half list deletes the fleet's rows |
//! | F2 epoch (`election`, `publisher`) | (number, nonce, feed): above clock and all that was heard; each incarnation its own | consumers at seq 500 refuse a new feed's seq 1; two sources mix numbers |
//! | F3 one writer (`election`) | the newest writes, others stand by; take over after a last will or a silence that `Who` does not break | two writers for ever, or none |
//! | F3 claims | who has heard of a newer term makes the writer renew above the highest claim, once a minute | after a clock went back: refused as older for ever |
//! | F4 flush (`feed`) | one in flight; all that is pending, as it is at `to`; what was lost with the link is pending again | a copy is a state that never was; a gap for everyone after each reconnect |
//! | F5 delta (`feed`) | deltas, and leaving out what came back to its old value, only if nothing above `prev` was named | somebody stands between: garbage, or a change that stays |
//! | F6 answer (`answer`, `stream`) | one snapshot a request, cut alike each time; a cursor counts for its own (epoch, seq) only | pages of different moments in one copy; long answers under churn never end |
//! | F7 lease (`stream`, `publisher`) | what nobody renews is dropped; quotas | watches for nobody |
//! | R1 newest (`reflector`) | what is older than the newest epoch heard of is dropped | an old source and a new one take turns, the faster one wins |
//! | R2 collect (`buffer`) | slices wait for their flush, flushes for their turn, within a bound; what was forgotten counts as a gap since then | memory grows; or traffic that goes on puts the gap off for ever |
//! | R3 apply (`reflector`) | while no request is out: whole flushes with prev ≤ seq < to, each in one step | a gap is jumped; half a step shown; a duplicate moves the copy back |
//! | R4 compare (`reflector`, `copy`) | who names my (epoch, seq) names my digest; then the copy was current when that left | silent divergence stays |
//! | R5 ask (`reflector`) | empty, behind, a gap, silence, a new subscription, a digest; renewals in any case | a lost change is never noticed; a lease runs out under a reader |
//! | R6 request (`request`) | one at a time, repeated as it is, in vain for one page; the copy is frozen meanwhile | every answer is too late when the way is long |
//! | R7 stage, switch (`staging`, `copy`) | pages of one snapshot, chained without a hole; then the copy is switched in one step | missing entries read as deleted; duplicates make a storm |
//! | R7 older (`reflector`) | an answer of another epoch that does not reach up to the last change held, by resourceVersion, is asked for again | a row goes back: a new writer's list began before the last news of the writer before, or its watch lags |
//! | R8 cache (`copy`, `saved`) | copies are kept whole, with their epoch, seq and last change, and a checksum | a restarted reader goes back to an older source or an older answer, or begins with what never was |
//! | R9 away (`thin`) | a thin copy lets a value go when its backing has this very one; while too much waits to be stored, nothing is taken in | what changed meanwhile is held by nobody and never stored; memory grows while a database is away |
//! | R10 base (`thin`, `reflector::bases`) | a delta to a value that is away waits for it, and takes it by its digest only; what the backing lacks is asked of the source as if it were not held, and told again | garbage; or the same value asked for and missing, for ever |
//!
//! # Thin copies
//! A consumer with a database need not hold what the database holds. Its copy is *thin*: a digest for each value, and the
//! value itself until it was stored ([`Thin`]). Nothing of that is seen on the wire: digests are all that a Sync needs,
//! and answers carry values whole. The invariant is the same, of copy and database together.
//!
//! # Age
//! `upstream_age` is zero while the source's own watch is open and was proven alive within a heartbeat, else the time
//! since then. An answer carries the age that its snapshot was taken with; a list is as old as its beginning until its
//! watch is heard. A copy's age is counted from [`Reflector::current_at`]: the arrival of what proved it current, less
//! the source's own age. It is never less than the truth but for the transit, however lively the broker is.

mod answer;
mod buffer;
mod collection;
mod copy;
mod cursor;
mod delta;
mod digest;
mod draft;
mod election;
mod feed;
#[cfg(test)]
mod guards;
mod mutants;
mod publisher;
mod reflector;
mod request;
mod saved;
mod settings;
#[cfg(test)]
mod simulator;
mod staging;
mod stream;
mod thin;
mod time;
mod turns;

pub use copy::{Copy, KeyChange};
pub use publisher::{
    Counters, Notice, Opening, Output, Publisher, Report, Role, Session, Target, Upstream,
};
pub use reflector::{Ask, Received, Reflector, Rids, ServerClock, Tally};
pub use saved::{NotSaved, Saved};
pub use settings::Settings;
pub use thin::{Mark, Thin};
pub use time::Moment;
