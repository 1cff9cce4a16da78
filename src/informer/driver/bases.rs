//! Thin copies: what their backing has stored, and values fetched from it.

use super::Driver;
use crate::informer::Snapshot;
use bytes::Bytes;

/// What a backing answered: the stream, which fetch of it, and the values, if it could say.
pub(super) type Fetched = (u64, u64, Option<Vec<(Bytes, Bytes)>>);

impl Driver {
    pub(super) fn settled(&mut self, reader: u64, settled: Snapshot) {
        if let Some(&number) = self.readers.get(&reader) {
            self.touch(number, |stream| stream.settled(settled));
        }
    }

    /// Asks the backing; whatever becomes of it, a stream that waits for long asks its source.
    pub(super) fn fetch(&mut self, number: u64, fetch: u64, keys: Vec<Bytes>) {
        let (Some(backing), Some(stream)) = (&self.backing, self.streams.get(&number)) else {
            return;
        };
        let values = backing.fetch(&stream.key.cluster, &stream.key.selection, keys);
        let fetched = async move { (number, fetch, values.await) };
        self.fetches.push(Box::pin(fetched));
    }

    pub(super) fn fetched(&mut self, (number, fetch, values): Fetched) {
        if let Some(values) = values {
            self.touch(number, |stream| stream.reflector.give(fetch, values));
        }
    }
}
