//! Carries what happens between an informer, the tracker of logs, and the terminal.

use crate::commands::fleet::Fleet;
use crate::error::Failure;
use crate::get::Namespaces;
use crate::get::messages::{self, Refusal};
use crate::get::roll::{News, Patience, Roll};
use crate::logs::pods::{self, Pod};
use crate::logs::request::Subject;
use crate::logs::text::{LogPrinter, Prefix};
use crate::logs::tracker::{Id, Opening, Tracker};
use crate::print::sanitize::word;
use crate::terminal::Terminal;
use futures::stream::{self, BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use mqtt_informer::informer::Informer;
use mqtt_informer::informer::log::{Gap, LogEnd, LogEvent, LogPosition, LogRequest};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Events that are taken together before the rest is looked at.
const BATCH: usize = 64;

/// What was asked for, beside what the tracker and the printer know.
pub(super) struct Plan {
    pub(super) subject: Subject,
    pub(super) one_cluster: bool,
    pub(super) follow: bool,
    pub(super) namespaces: Namespaces,
    pub(super) labels: String,
    pub(super) prefix: Option<bool>,
    pub(super) patience: Patience,
    pub(super) allow_partial: bool,
}

/// A log that is open.
struct Reading {
    /// Which of those that were opened for its container.
    number: u64,
    node: String,
    /// Since when nothing comes of it although something should.
    trouble: Option<Duration>,
}

type Told = (Id, u64, LogEvent);

pub(super) struct Session {
    fleet: Fleet,
    plan: Plan,
    tracker: Tracker,
    printer: LogPrinter,
    events: SelectAll<BoxStream<'static, Told>>,
    open: BTreeMap<Id, Reading>,
    opened: u64,
    /// Clusters whose pods are looked at; the others are asked what selects them.
    with_pods: BTreeSet<ClusterName>,
    /// What selects pods is not there.
    absent: BTreeMap<ClusterName, Refusal>,
    silent: BTreeSet<ClusterName>,
    said: BTreeSet<String>,
    chose_prefix: bool,
    failed: bool,
    read_any: bool,
}

impl Session {
    pub(super) fn new(
        informer: Informer,
        roll: Roll,
        plan: Plan,
        (tracker, printer): (Tracker, LogPrinter),
    ) -> Self {
        Self {
            fleet: Fleet::new(informer, roll),
            plan,
            tracker,
            printer,
            events: SelectAll::new(),
            open: BTreeMap::new(),
            opened: 0,
            with_pods: BTreeSet::new(),
            absent: BTreeMap::new(),
            silent: BTreeSet::new(),
            said: BTreeSet::new(),
            chose_prefix: false,
            failed: false,
            read_any: false,
        }
    }

    pub(super) async fn run(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        loop {
            self.subscribe();
            for news in self.fleet.step() {
                self.news(news, terminal)?;
            }
            for cluster in self.fleet.take_changed() {
                self.look_at_pods(&cluster, terminal)?;
            }
            self.open_logs(terminal)?;
            self.give_up(terminal)?;
            if self.is_done() {
                return self.end(terminal);
            }
            self.say_that_it_waits(terminal)?;
            let most = self.until_next();
            tokio::select! {
                Some(told) = self.events.next() => {
                    let mut told = Some(told);
                    let mut out = Vec::new();
                    for _ in 0..BATCH {
                        let Some(event) = told.take() else { break };
                        self.event(event, &mut out, terminal)?;
                        told = self.events.next().now_or_never().flatten();
                    }
                    if let Some(event) = told {
                        self.event(event, &mut out, terminal)?;
                    }
                    if !out.is_empty() {
                        terminal.out_bytes(&out)?;
                    }
                }
                () = self.fleet.wait(most) => {}
            }
        }
    }

    fn subscribe(&mut self) {
        for cluster in self.fleet.roll.take_wanted() {
            match self.plan.subject.clone() {
                Subject::SelectedBy { word, name } => {
                    let selection = Selection {
                        resource: word,
                        namespace: self.plan.namespaces.of(&cluster).to_owned(),
                        fields: format!("metadata.name={name}"),
                        view: View::Objects,
                        ..Selection::default()
                    };
                    self.fleet.subscribe(&cluster, 0, selection);
                }
                Subject::Pod(name) => {
                    let fields = format!("metadata.name={name}");
                    self.subscribe_to_pods(&cluster, self.plan.labels.clone(), fields);
                }
                Subject::Matching(_) => {
                    self.subscribe_to_pods(&cluster, self.plan.labels.clone(), String::new());
                }
            }
        }
    }

    fn subscribe_to_pods(&mut self, cluster: &ClusterName, labels: String, fields: String) {
        let selection = Selection {
            resource: "pods".into(),
            namespace: self.plan.namespaces.of(cluster).to_owned(),
            labels,
            fields,
            view: View::Objects,
            ..Selection::default()
        };
        self.with_pods.insert(cluster.clone());
        self.fleet.subscribe(cluster, 0, selection);
    }

    fn news(&mut self, news: News, terminal: &mut Terminal) -> Result<(), Failure> {
        match news {
            News::Ready(cluster) => self.ready(&cluster, terminal),
            News::Doubtful(cluster, line) => {
                terminal.err(&line)?;
                self.ready(&cluster, terminal)
            }
            News::Failed(_, line) => self.fail(&line, terminal),
            News::Line(line) => terminal.err(&line),
            News::Over(line) => {
                terminal.err(&line)?;
                Err(Failure::Told(1))
            }
        }
    }

    fn ready(&mut self, cluster: &ClusterName, terminal: &mut Terminal) -> Result<(), Failure> {
        if self.with_pods.contains(cluster) {
            return self.look_at_pods(cluster, terminal);
        }
        match self.selected_by(cluster) {
            Ok(labels) => {
                let at = self.fleet.at();
                self.fleet.roll.ask_anew(cluster, at);
                self.subscribe_to_pods(cluster, labels, String::new());
                Ok(())
            }
            Err(refusal) => {
                self.absent.insert(cluster.clone(), refusal);
                Ok(())
            }
        }
    }

    /// The label selector of what selects pods.
    fn selected_by(&self, cluster: &ClusterName) -> Result<String, Refusal> {
        let store = self.fleet.store(cluster, 0);
        let snapshot = store.map(|store| store.snapshot()).unwrap_or_default();
        let object = snapshot.objects().next();
        let Some((_, bytes)) = object else {
            let resource = store.map(|store| store.state().borrow().resource.clone());
            let (Subject::SelectedBy { name, .. }, resource) =
                (&self.plan.subject, resource.unwrap_or_default())
            else {
                return Err(Refusal::local("nothing selects pods"));
            };
            // `deployments.v1.apps` is called `deployments.apps` by messages.
            let mut words: Vec<_> = resource.split('.').collect();
            if words.len() > 1 {
                words.remove(1);
            }
            return Err(Refusal::not_found(&words.join("."), name));
        };
        let value = serde_json::from_slice(bytes).unwrap_or_default();
        pods::selector(&value).map_err(Refusal::local)
    }

    fn look_at_pods(
        &mut self,
        cluster: &ClusterName,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let Some(store) = self.fleet.store(cluster, 0) else {
            return Ok(());
        };
        if !self.with_pods.contains(cluster) || !store.state().borrow().synced {
            return Ok(());
        }
        let snapshot = store.snapshot();
        let is_meant = |key: &[u8]| {
            let key = String::from_utf8_lossy(key);
            let name = key.rsplit('/').next().unwrap_or_default();
            self.tracker.is_meant(name)
        };
        let pods: Vec<_> = snapshot
            .objects()
            .filter(|(key, _)| is_meant(key))
            .filter_map(|(_, value)| Pod::read(value))
            .collect();
        self.read_any = true;
        for wrong in self.tracker.pods(cluster, &pods) {
            let line = self.refused(cluster, &Refusal::local(wrong));
            self.fail(&line, terminal)?;
        }
        for notice in self.tracker.take_notices() {
            terminal.err(&word(&notice))?;
        }
        Ok(())
    }

    fn open_logs(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        self.tracker.wake(self.fleet.at());
        loop {
            match self.tracker.next_opening() {
                Ok(Some(opening)) => self.open_log(opening),
                Ok(None) => return Ok(()),
                Err(error) => {
                    terminal.err(&format!("error: {error}"))?;
                    return Err(Failure::Told(1));
                }
            }
        }
    }

    fn open_log(&mut self, opening: Opening) {
        self.choose_prefix();
        let Opening {
            id,
            node,
            log,
            after,
        } = opening;
        let request = LogRequest {
            log,
            after,
            patience: self.plan.patience.timeout,
        };
        let reader = self.fleet.informer.log(&id.cluster, request);
        self.opened += 1;
        let number = self.opened;
        let told = stream::unfold((reader, id.clone()), move |(mut reader, id)| async move {
            let event = reader.next().await?;
            Some(((id.clone(), number, event), (reader, id)))
        });
        self.events.push(told.boxed());
        let reading = Reading {
            number,
            node,
            trouble: None,
        };
        self.open.insert(id, reading);
    }

    /// Lines say where they are from when there can be more than one log.
    fn choose_prefix(&mut self) {
        if std::mem::replace(&mut self.chose_prefix, true) {
            return;
        }
        let plan = &self.plan;
        let by_name = matches!(plan.subject, Subject::Pod(_));
        let alone = plan.one_cluster && self.tracker.len() == 1 && (!plan.follow || by_name);
        if !plan.prefix.unwrap_or(!alone) {
            return;
        }
        self.printer.prefix = match (plan.one_cluster, plan.namespaces.one().is_some()) {
            (true, true) => Prefix::Pod,
            (true, false) => Prefix::Namespace,
            (false, true) => Prefix::Cluster,
            (false, false) => Prefix::ClusterAndNamespace,
        };
    }

    fn event(
        &mut self,
        (id, number, event): Told,
        out: &mut Vec<u8>,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let at = self.fleet.at();
        let Some(reading) = self.open.get_mut(&id).filter(|it| it.number == number) else {
            return Ok(());
        };
        match event {
            LogEvent::Lines(lines) => {
                reading.trouble = None;
                for line in &lines {
                    self.printer.line(&id, &reading.node, line, out);
                }
                Ok(())
            }
            LogEvent::Gap(gap) => terminal.err(&missing(&id, &gap)),
            LogEvent::Broken(why) => {
                reading.trouble.get_or_insert(at);
                let line = format!("warning: {}: {}; trying again", named(&id), word(&why));
                self.once(line, terminal)
            }
            LogEvent::Silent => {
                reading.trouble = at.checked_sub(self.plan.patience.timeout).or(Some(at));
                if self.plan.follow && self.silent.insert(id.cluster.clone()) {
                    let cluster = word(id.cluster.as_str()).into_owned();
                    let line = format!(
                        "warning: cluster \"{cluster}\": its syncer has not been heard lately; trying again"
                    );
                    return terminal.err(&line);
                }
                Ok(())
            }
            LogEvent::Heard => {
                reading.trouble = None;
                if self.silent.remove(&id.cluster) {
                    return terminal.err(&messages::fresh_again(&id.cluster));
                }
                Ok(())
            }
            LogEvent::Ended(end, position) => self.ended(&id, &end, position, terminal),
        }
    }

    fn ended(
        &mut self,
        id: &Id,
        end: &LogEnd,
        position: Option<LogPosition>,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        self.open.remove(id);
        let at = self.fleet.at();
        self.tracker.ended(id, end, position, at);
        let LogEnd::Refused {
            reason, message, ..
        } = end
        else {
            return Ok(());
        };
        let refusal = Refusal {
            reason: reason.clone(),
            message: message.clone(),
        };
        let line = self.refused(&id.cluster, &refusal);
        self.fail(&line, terminal)
    }

    /// Without following, what does not come is not waited for.
    fn give_up(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let (at, timeout) = (self.fleet.at(), self.plan.patience.timeout);
        if self
            .plan
            .patience
            .request_timeout
            .is_some_and(|end| at >= end)
        {
            if !self.plan.follow {
                terminal.err("error: not all logs were read: --request-timeout allows more")?;
            }
            return Err(Failure::Told(u8::from(!self.plan.follow)));
        }
        if self.plan.follow {
            return Ok(());
        }
        let over = |reading: &Reading| reading.trouble.is_some_and(|since| at >= since + timeout);
        let lost: Vec<_> = self
            .open
            .iter()
            .filter(|(_, reading)| over(reading))
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            self.open.remove(&id);
            self.tracker.ended(&id, &LogEnd::NotOpen, None, at);
            let line = format!(
                "error: {}: no answer within {timeout:?}: --timeout waits longer",
                named(&id)
            );
            self.fail(&line, terminal)?;
        }
        Ok(())
    }

    /// Who follows pods that are not there yet would see nothing, and not know why.
    fn say_that_it_waits(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        if !self.tracker.is_empty() || !self.fleet.roll.is_complete() || !self.read_any {
            return Ok(());
        }
        let line = match (self.tracker.without_container(), self.tracker.met_any()) {
            (Some(why), _) => format!("{}; waiting for another pod", word(why)),
            (None, true) => return Ok(()),
            (None, false) => {
                "no pods match yet: waiting for them; --cluster and -n say where to look".to_owned()
            }
        };
        self.once(line, terminal)
    }

    fn until_next(&self) -> Duration {
        let at = self.fleet.at();
        let timeout = self.plan.patience.timeout;
        let troubles = self
            .open
            .values()
            .filter_map(|reading| reading.trouble)
            .map(|since| since + timeout)
            .filter(|_| !self.plan.follow);
        let next = troubles.chain(self.tracker.deadline()).min();
        next.map_or(Duration::MAX, |next| {
            next.saturating_sub(at).max(Duration::from_millis(1))
        })
    }

    fn is_done(&self) -> bool {
        let idle = self.tracker.is_idle() && self.open.is_empty() && self.fleet.roll.is_complete();
        if !idle {
            return false;
        }
        let by_name = matches!(self.plan.subject, Subject::Pod(_));
        // What comes later would be refused, too.
        let nothing_to_follow = !self.read_any || self.tracker.all_refused();
        !self.plan.follow
            || nothing_to_follow
            || (by_name
                && self.tracker.deadline().is_none()
                && !self.tracker.waiting().any(|(_, may_start)| may_start))
    }

    fn end(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        if !self.absent.is_empty() && self.tracker.is_empty() && self.with_pods.is_empty() {
            let absent = std::mem::take(&mut self.absent);
            let lines: BTreeSet<_> = absent.values().map(Refusal::line).collect();
            for line in lines {
                self.fail(&line, terminal)?;
            }
        } else if self.tracker.is_empty() && !self.failed {
            self.nothing_found(terminal)?;
        }
        self.tell_waiting(terminal)?;
        let forgiven = self.plan.allow_partial && self.read_any && !self.tracker.is_empty();
        match self.failed && !forgiven {
            true => Err(Failure::Told(1)),
            false => Ok(()),
        }
    }

    /// What has not run has no log: else nobody would know why it is missing.
    fn tell_waiting(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let line = |(id, may_start)| {
            let why = match may_start {
                true => "it has not started; -f waits for it",
                false => "it never started, and its pod has ended",
            };
            format!("error: {}: {why}", named(id))
        };
        let lines: Vec<_> = self.tracker.waiting().map(line).collect();
        lines
            .into_iter()
            .try_for_each(|line| self.fail(&line, terminal))
    }

    fn nothing_found(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let namespace = self.plan.namespaces.one();
        if let Some(why) = self.tracker.without_container() {
            let line = format!("error: {}", word(why));
            return self.fail(&line, terminal);
        }
        let line = match (&self.plan.subject, namespace) {
            (Subject::Pod(name), Some(namespace)) => format!(
                "error: error from server (NotFound): pods \"{}\" not found in namespace \"{}\"",
                word(name),
                word(namespace)
            ),
            (Subject::Matching(Some(regex)), namespace) => {
                let place = namespace.map_or_else(String::new, |namespace| {
                    format!(" in namespace \"{}\" (-A looks into all)", word(namespace))
                });
                let regex = word(regex.as_str());
                format!("error: no pod's name matches {regex:?}{place}")
            }
            _ => return terminal.err(&messages::no_resources(namespace)),
        };
        self.fail(&line, terminal)
    }

    fn refused(&self, cluster: &ClusterName, refusal: &Refusal) -> String {
        match self.plan.one_cluster {
            true => refusal.line(),
            false => messages::refused(cluster, refusal),
        }
    }

    fn fail(&mut self, line: &str, terminal: &mut Terminal) -> Result<(), Failure> {
        self.failed = true;
        self.once(line.to_owned(), terminal)
    }

    /// A line that many logs would say alike.
    fn once(&mut self, line: String, terminal: &mut Terminal) -> Result<(), Failure> {
        match self.said.insert(line.clone()) {
            true => terminal.err(&line),
            false => Ok(()),
        }
    }
}

/// A log, in a message.
fn named(id: &Id) -> String {
    let Id {
        cluster,
        namespace,
        pod,
        container,
    } = id;
    let words = format!("cluster \"{cluster}\": {namespace}/{pod}/{container}");
    word(&words).into_owned()
}

fn missing(id: &Id, gap: &Gap) -> String {
    let log = named(id);
    match gap.before {
        Some(before) => format!(
            "warning: {log}: lines may be missing between {} and {before}",
            gap.after
        ),
        None => format!("warning: {log}: lines may be missing after {}", gap.after),
    }
}
