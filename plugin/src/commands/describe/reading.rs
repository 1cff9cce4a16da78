//! All that one description needs of a cluster.

use crate::commands::reader::{Read, Reader};
use crate::describe::plan::Found;
use crate::describe::{Need, Related, fetches};
use crate::get::member::Trouble;
use crate::get::messages::{Doubt, Refusal};
use futures::future::try_join_all;
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeSet;

/// Reading one cluster: the doubts and the clock of all that is read there.
pub(super) struct Reading<'a> {
    reader: &'a Reader,
    pub(super) cluster: &'a ClusterName,
    /// Why what was read may be old.
    pub(super) doubt: Option<Doubt>,
    /// The clock of the cluster's API server, ms since 1970.
    pub(super) now_ms: Option<i64>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(reader: &'a Reader, cluster: &'a ClusterName) -> Self {
        Self {
            reader,
            cluster,
            doubt: None,
            now_ms: None,
        }
    }

    /// Reads streams, all at once. What is refused is an answer.
    pub(super) async fn all(
        &mut self,
        selections: impl IntoIterator<Item = Selection>,
    ) -> Result<Vec<Result<Found, Refusal>>, Trouble> {
        let (reader, cluster) = (self.reader, self.cluster);
        let read = |selection| async move {
            match reader.read(cluster, selection).await {
                Ok(read) => Ok(Ok(read)),
                Err(Trouble::Refused(refusal)) => Ok(Err(refusal)),
                Err(trouble) => Err(trouble),
            }
        };
        let answers: Vec<Result<Read, Refusal>> =
            try_join_all(selections.into_iter().map(read)).await?;
        for read in answers.iter().flatten() {
            self.now_ms = self.now_ms.max(Some(read.now_ms));
            self.doubt = self.doubt.or(read.doubt);
        }
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(|read| read.found))
            .collect())
    }

    /// Reads what belongs to what is described.
    pub(super) async fn related(&mut self, needs: &BTreeSet<Need>) -> Result<Related, Trouble> {
        let fetches = fetches(needs);
        let answers = self
            .all(fetches.iter().map(|(fetch, _)| fetch.selection()))
            .await?;
        let mut related = Related::default();
        for ((_, met), answer) in fetches.into_iter().zip(answers) {
            related.take(met, answer.map(|found| found.objects));
        }
        Ok(related)
    }
}
