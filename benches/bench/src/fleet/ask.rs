//! What is asked of a store that has a fleet in it.

use super::{cluster, namespace, resource};
use crate::pods;
use anyhow::Result;
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::selector::LabelSelector;
use mqtt_informer::store::{By, Clusters, Filter, Order, Search, Store, Subject, Term, Test};
use std::time::{Duration, Instant};

/// What a page of a search has.
const PAGE: usize = 100;
/// No question is repeated once it has taken this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The questions, as the page of results names them.
pub(crate) const QUESTIONS: [(&str, Question); 8] = [
    ("page of a namespace of a cluster", Question::Namespace),
    ("page by a label", Question::Label),
    ("page of .status.phase != Running", Question::Phase),
    ("page by a fuzzy name", Question::Fuzzy),
    (".status.podIP of one pod, found by a scan", Question::Scan),
    ("page in the order of .status.startTime", Question::Order),
    ("count by cluster and phase", Question::Count),
    ("a watch's next 100 changes", Question::Changes),
];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Question {
    Namespace,
    Label,
    Phase,
    Fuzzy,
    Scan,
    Order,
    Count,
    Changes,
}

/// How long each of at most `repeats` askings took, always for something else.
pub(crate) async fn ask(
    store: &Store,
    question: Question,
    (pods, repeats): (usize, usize),
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut all = Duration::ZERO;
    for turn in 0..repeats {
        let begin = Instant::now();
        let found = once(store, question, turn * 997 % pods).await?;
        times.push(begin.elapsed());
        all += begin.elapsed();
        anyhow::ensure!(found > 0, "{question:?} finds nothing");
        if all > PATIENCE {
            break;
        }
    }
    Ok(times)
}

/// Asks once, about a pod; answers with how much was found.
async fn once(store: &Store, question: Question, pod: usize) -> Result<usize> {
    let mut search = Search {
        resources: vec![resource()],
        limit: PAGE,
        ..Search::default()
    };
    match question {
        Question::Namespace => {
            search.clusters = Clusters::one(cluster(pod)?);
            search.namespaces = vec![namespace(pod)];
        }
        Question::Label => {
            let name = pods::name(pod);
            let name = name.split('-').next().unwrap_or_default();
            search.labels = LabelSelector::parse(&format!("app.kubernetes.io/name={name}"))?;
        }
        Question::Phase => {
            let phase = Test::Differs("Running".to_owned());
            search.terms = vec![field(".status.phase", phase)?];
        }
        Question::Fuzzy => {
            let name = pods::name(pod);
            let end = name.len().saturating_sub(4);
            search.fuzzy = Some([&name[..3], &name[end..]].concat());
        }
        Question::Scan => {
            let address = pods::pod(pod, 0)["status"]["podIP"].clone();
            let address = address.as_str().unwrap_or_default().to_owned();
            search.terms = vec![field(".status.podIP", Test::Equals(address))?];
        }
        Question::Order => {
            search.order = Some(Order {
                by: By::Subject(Subject::Field(".status.startTime".parse()?)),
                descending: pod.is_multiple_of(2),
            });
        }
        Question::Count => {
            let phase = By::Subject(Subject::Field(".status.phase".parse()?));
            return Ok(store.count(&search, &[By::Cluster, phase]).await?.len());
        }
        Question::Changes => {
            let newest = *store.sequence().borrow();
            let filter = Filter {
                resource: resource(),
                view: View::Objects,
                ..Filter::default()
            };
            let after = newest.saturating_sub(PAGE as u64);
            let changes = store.changes(&filter, after, PAGE).await?;
            return Ok(changes.items.len());
        }
    }
    Ok(store.search(&search).await?.items.len())
}

fn field(path: &str, test: Test) -> Result<Term> {
    Ok(Term {
        subject: Subject::Field(path.parse()?),
        test,
    })
}
