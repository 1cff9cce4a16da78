//! One stream as a source serves it: its upstream, its feed once there was a list, and the sessions with a lease.
//!
//! - **F1** Until the first list is complete the newest request of each session waits, and its session is told why.
//!   *Else a person sees silence where "Forbidden" or "listing, 12,000 so far" could stand.*
//! - **F6** A session has one snapshot, for one request; what renews or repeats a request changes nothing else.
//! - **F7 Lease.** Sessions that do not renew are forgotten. *Else the API server is watched for nobody.*

use super::answer::Answer;
use super::digest::Buckets;
use super::draft::Draft;
use super::feed::{Feed, Stamp, Tickets};
use super::mutants::mutant;
use super::publisher::{Opening, Session, Target, Upstream};
use super::settings::Settings;
use super::time::{Moment, millis};
use crate::protocol::message::{Epoch, Live, Page, State, Status, Sync, Term};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a session has with a stream.
#[derive(Debug)]
struct Lease {
    until: Moment,
    /// When it was last heard of.
    heard: Moment,
    /// When it last asked for pages.
    asked: Moment,
    /// The highest rid asked for: a lower one is late, or a duplicate.
    rid: u64,
    /// The request that cannot be answered yet, and when its session is told so next.
    waiting: Option<(Sync, Moment)>,
    answer: Option<Answer>,
    /// Where the next page begins, and how many may follow. Nothing is sent unasked.
    sending: Option<(Bytes, u32)>,
}

/// Why there is no feed yet, or why its age grows.
#[derive(Debug)]
enum Word {
    Listing(u64),
    Down(String),
    Refused {
        code: u32,
        reason: String,
        message: String,
    },
}

/// One stream of one source.
#[derive(Debug)]
pub(super) struct Stream {
    target: Target,
    epoch: Epoch,
    opening: Opening,
    opened: Moment,
    feed: Option<Feed>,
    /// What came of the list that is under way.
    draft: Draft,
    word: Word,
    /// The list that is under way began then: what it holds is no younger than that.
    listing_since: Option<Moment>,
    /// When its upstream was last proven alive, and whether it is open.
    heard: Option<Moment>,
    connected: bool,
    /// When the API server last answered a probe.
    probed: Option<Moment>,
    leases: BTreeMap<Session, Lease>,
    /// The last session left then.
    empty_since: Option<Moment>,
}

impl Stream {
    pub(super) fn new(target: Target, epoch: Epoch, opening: Opening, now: Moment) -> Self {
        Self {
            target,
            epoch,
            opening,
            opened: now,
            feed: None,
            draft: Draft::default(),
            word: Word::Listing(0),
            listing_since: None,
            heard: None,
            connected: false,
            probed: None,
            leases: BTreeMap::new(),
            empty_since: None,
        }
    }

    /// Begins anew under another epoch; its sessions stay.
    pub(super) fn renew(&mut self, epoch: Epoch, opening: Opening, now: Moment) {
        let leases = std::mem::take(&mut self.leases);
        *self = Self {
            empty_since: self.empty_since,
            ..Self::new(self.target.clone(), epoch, opening, now)
        };
        self.leases = leases;
        for lease in self.leases.values_mut() {
            lease.answer = None;
            lease.sending = None;
        }
    }

    pub(super) fn opening(&self) -> Opening {
        self.opening
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn feed(&self) -> Option<&Feed> {
        self.feed.as_ref()
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.leases.keys()
    }

    /// The moment since which nobody looks; none while somebody does.
    pub(super) fn lingers_since(&self) -> Option<Moment> {
        self.empty_since
    }

    /// For how long the upstream was not proven alive; none at all while it is open and was heard within a heartbeat.
    pub(super) fn upstream_age(&self, now: Moment, settings: &Settings) -> Duration {
        let age = now.since(self.heard.unwrap_or(self.opened));
        let alive = self.connected && age <= settings.heartbeat;
        if alive { Duration::ZERO } else { age }
    }

    /// What the upstream tells. True: there was a list.
    ///
    /// Only `Alive` proves that all is told: a change may be the first of many that waited while the API server hung.
    pub(super) fn upstream(&mut self, now: Moment, event: Upstream) -> bool {
        match (event, &mut self.feed) {
            (Upstream::Listed(last, version), feed) => {
                let draft = std::mem::take(&mut self.draft);
                match feed {
                    Some(feed) => feed.relist(draft.into_list(last), version),
                    None => {
                        let whole = draft.finish(last);
                        let stream = self.target.stream;
                        *feed = Some(Feed::new(stream, self.epoch, whole, version));
                    }
                }
                self.heard = self.heard.max(Some(self.list_began()));
                return true;
            }
            (Upstream::Put(key, value, version), Some(feed)) => feed.put(&key, &value, version),
            (Upstream::Delete(key, version), Some(feed)) => feed.delete(&key, version),
            (Upstream::Put(..) | Upstream::Delete(..), None) => {}
            (Upstream::Watching, _) => {
                self.connected = true;
                self.probed = None;
            }
            (Upstream::Alive, _) => self.heard = Some(now),
            (Upstream::Bookmark(version), feed) => {
                self.heard = Some(now);
                feed.iter_mut().for_each(|feed| feed.told_up_to(version));
            }
            (Upstream::Ended, _) => self.connected = false,
            (Upstream::Listing, _) => {
                self.draft = Draft::default();
                self.word = Word::Listing(0);
                self.listing_since = Some(now);
                self.connected = false;
            }
            (Upstream::Part(part), feed) => {
                match feed {
                    Some(_) => self.draft.keep(part),
                    None => self.draft.pack(part),
                }
                self.word = Word::Listing(self.draft.len() as u64);
            }
            (Upstream::Down(message), _) => self.disconnected(Word::Down(message)),
            (
                Upstream::Refused {
                    code,
                    reason,
                    message,
                },
                _,
            ) => {
                self.disconnected(Word::Refused {
                    code,
                    reason,
                    message,
                });
            }
        }
        false
    }

    /// The API server answered a probe: a watch that is open and has nothing to tell is alive, too. One that hangs by
    /// itself is its upstream's to notice. The first answer after a pause proves nothing yet: what waited in the watch
    /// meanwhile may still come.
    pub(super) fn api_alive(&mut self, now: Moment, settings: &Settings) {
        let before = self.probed.replace(now);
        let steady = before.is_some_and(|before| now.since(before) <= settings.heartbeat);
        if self.connected && steady {
            self.heard = Some(now);
        }
    }

    /// A list is as old as its beginning, until its watch proves to be alive.
    fn list_began(&mut self) -> Moment {
        self.listing_since.take().unwrap_or(self.opened)
    }

    fn disconnected(&mut self, why: Word) {
        self.word = why;
        self.draft = Draft::default();
        self.listing_since = None;
        self.connected = false;
    }

    /// Any request renews its session's lease; beyond the bound of one user, its longest idle session goes.
    pub(super) fn lease(
        &mut self,
        now: Moment,
        session: &Session,
        lease_s: u32,
        settings: &Settings,
    ) {
        let length = Duration::from_secs(lease_s.into()).min(settings.longest_lease);
        self.empty_since = None;
        if !self.leases.contains_key(session) {
            let most = match session.is_anonymous() {
                true => settings.sessions_anonymous,
                false => settings.sessions_per_user,
            };
            self.make_room(&session.user, most);
        }
        let lease = self.leases.entry(session.clone()).or_insert_with(|| Lease {
            until: now,
            heard: now,
            asked: now,
            rid: 0,
            waiting: None,
            answer: None,
            sending: None,
        });
        let for_ever = mutant!(EternalLeases);
        lease.until = if for_ever {
            Moment::NEVER
        } else {
            now + length
        };
        lease.heard = now;
    }

    fn make_room(&mut self, user: &str, most: usize) {
        let of_user = || {
            self.leases
                .iter()
                .filter(|(session, _)| &*session.user == user)
        };
        if of_user().count() >= most {
            let idle = of_user().min_by_key(|(_, lease)| lease.heard);
            let idle = idle.map(|(session, _)| session.clone());
            idle.and_then(|session| self.leases.remove(&session));
        }
    }

    /// A session's request is answered, or waits. `term_known`: it has not heard of a newer term than ours. True: pages
    /// are to be sent.
    pub(super) fn ask(
        &mut self,
        now: Moment,
        session: &Session,
        sync: Sync,
        term_known: bool,
        settings: &Settings,
    ) -> bool {
        if mutant!(AnswerBeforeList) && self.feed.is_none() {
            self.feed = Some(Feed::new(
                self.target.stream,
                self.epoch,
                Draft::default().finish(Vec::new()),
                0,
            ));
        }
        let Some(lease) = self.leases.get_mut(session) else {
            return false;
        };
        if sync.rid < lease.rid {
            return false;
        }
        lease.rid = sync.rid;
        lease.asked = now;
        if self.feed.is_none() || !term_known {
            lease.waiting = Some((sync, now));
            return false;
        }
        self.answer(now, session, &sync, settings);
        true
    }

    /// Answers all that waited; returns whom.
    pub(super) fn answer_waiting(
        &mut self,
        now: Moment,
        term: Term,
        settings: &Settings,
    ) -> Vec<Session> {
        let waiting: Vec<(Session, Sync)> = self
            .leases
            .iter_mut()
            .filter_map(|(session, lease)| {
                let known = |(sync, _): &mut (Sync, Moment)| sync.epoch.term <= term;
                Some((session.clone(), lease.waiting.take_if(known)?.0))
            })
            .collect();
        for (session, sync) in &waiting {
            self.answer(now, session, sync, settings);
        }
        waiting.into_iter().map(|(session, _)| session).collect()
    }

    fn answer(&mut self, now: Moment, session: &Session, sync: &Sync, settings: &Settings) {
        let age = millis(self.upstream_age(now, settings));
        let (Some(feed), Some(lease)) = (&mut self.feed, self.leases.get_mut(session)) else {
            return;
        };
        lease.waiting = None;
        let fresh = mutant!(NewSnapshotEachReask);
        let is_reask = lease
            .answer
            .as_ref()
            .is_some_and(|answer| answer.rid == sync.rid);
        let held = lease
            .answer
            .take()
            .filter(|answer| answer.rid == sync.rid && !fresh);
        let answer = held.or_else(|| {
            let buckets = Buckets::of(sync.digests.len())?;
            let ours = feed.digests(buckets);
            let mut answer = Answer::new(sync.rid, feed.snapshot(), buckets, &sync.digests, &ours);
            answer.upstream_age_ms = age;
            if feed.packer().id() != sync.dictionary {
                answer.dictionary = feed.packer().dictionary();
            }
            Some(answer)
        });
        let cut = answer.as_ref().is_some_and(|answer| answer.cut(&sync.from));
        let from = if cut { sync.from.clone() } else { Bytes::new() };
        // A re-ask of one page asks whether anybody is there: what is on its way goes on.
        let rest = lease.sending.as_ref().filter(|_| is_reask);
        let rest = rest.map_or(0, |(_, left)| *left);
        lease.sending = Some((from, sync.max_messages.min(settings.window).max(rest)));
        lease.answer = answer;
    }

    /// The next page for a session, and whether another may follow. `bytes`: what fits one message.
    pub(super) fn next_page(&mut self, session: &Session, bytes: usize) -> Option<(Page, bool)> {
        let lease = self.leases.get_mut(session)?;
        let (from, left) = lease.sending.take()?;
        let answer = lease.answer.as_mut()?;
        if mutant!(AnswerFromMovingState) {
            answer.snapshot.collection = self.feed.as_ref()?.collection().clone();
        }
        let dictionary = answer.dictionary.clone().filter(|_| from.is_empty());
        let room = bytes.saturating_sub(dictionary.as_ref().map_or(0, Bytes::len));
        let slice = answer.slice(&from, room.max(1));
        let last = slice.end || left <= 1;
        if !last {
            lease.sending = Some((slice.next.clone(), left - 1));
        }
        let page = Page {
            rid: answer.rid,
            stream: self.target.stream,
            live_topic: self.target.live_topic.to_string(),
            epoch: answer.snapshot.epoch,
            seq: answer.snapshot.seq,
            digest: answer.snapshot.collection.digest(),
            differs: Bytes::copy_from_slice(answer.differs.as_bytes()),
            from,
            next: slice.next,
            last,
            end: slice.end,
            upstream_age_ms: answer.upstream_age_ms,
            now_ms: 0,
            dictionary,
            entries: slice.entries,
            changed: answer.snapshot.versions.changed,
            up_to: answer.snapshot.versions.up_to,
        };
        Some((page, !last))
    }

    /// Words for every session whose request waits, if it is time.
    pub(super) fn statuses(&mut self, now: Moment, settings: &Settings) -> Vec<(Session, Status)> {
        let state = self.state(now);
        let mut statuses = Vec::new();
        for (session, lease) in &mut self.leases {
            if let Some((sync, at)) = &mut lease.waiting
                && *at <= now
            {
                *at = now + settings.status_interval;
                let status = Status {
                    rid: sync.rid,
                    epoch: self.epoch,
                    state: state.clone(),
                    resource: self.target.resource.to_string(),
                };
                statuses.push((session.clone(), status));
            }
        }
        statuses
    }

    fn state(&self, now: Moment) -> State {
        match &self.word {
            Word::Listing(items) => State::Listing { items: *items },
            Word::Down(message) => State::UpstreamDown {
                since_ms: millis(now.since(self.heard.unwrap_or(self.opened))),
                message: message.clone(),
            },
            Word::Refused {
                code,
                reason,
                message,
            } => State::Refused {
                code: *code,
                reason: reason.clone(),
                message: message.clone(),
            },
        }
    }

    /// A session leaves.
    pub(super) fn leave(&mut self, now: Moment, session: &Session) {
        if self.leases.remove(session).is_some() && self.leases.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// Forgets sessions whose lease ran out, and snapshots that nobody asks about any more. True: nobody is left, and
    /// the stream is to be dropped.
    pub(super) fn expire(&mut self, now: Moment, settings: &Settings) -> bool {
        self.leases.retain(|_, lease| lease.until > now);
        for lease in self.leases.values_mut() {
            if lease.sending.is_none() && now >= lease.asked + settings.snapshot_idle {
                lease.answer = None;
            }
        }
        let lingers = self
            .empty_since
            .is_some_and(|since| now < since + settings.linger);
        self.leases.is_empty() && !lingers
    }

    /// What has to leave of the feed now.
    pub(super) fn flush(
        &mut self,
        now: Moment,
        slice_bytes: usize,
        settings: &Settings,
        tickets: &mut Tickets,
    ) -> Vec<(u64, Live)> {
        let upstream_age_ms = millis(self.upstream_age(now, settings));
        match &mut self.feed {
            Some(feed) if feed.flush_at(settings).is_some_and(|at| at <= now) => feed.flush(
                Stamp {
                    now,
                    upstream_age_ms,
                    slice_bytes,
                },
                tickets,
            ),
            _ => Vec::new(),
        }
    }

    pub(super) fn acknowledged(&mut self, ticket: u64) {
        if let Some(feed) = &mut self.feed {
            feed.acknowledged(ticket);
        }
    }

    pub(super) fn link_lost(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.link_lost();
        }
    }

    /// When something of this is due. `link_up`: flushes and statuses can leave.
    pub(super) fn next_deadline(&self, link_up: bool, settings: &Settings) -> Option<Moment> {
        let leases = self.leases.values().flat_map(|lease| {
            let status = lease
                .waiting
                .as_ref()
                .map(|(_, at)| *at)
                .filter(|_| link_up);
            let idle = lease.answer.as_ref().filter(|_| lease.sending.is_none());
            let idle = idle.map(|_| lease.asked + settings.snapshot_idle);
            [Some(lease.until), status, idle]
        });
        let flush = self.feed.as_ref().filter(|_| link_up);
        let flush = flush.and_then(|feed| feed.flush_at(settings));
        let linger = self.empty_since.map(|since| since + settings.linger);
        leases.chain([flush, linger]).flatten().min()
    }
}
