//! Rows watched by a field of their objects: `kubectl get pods -w --field-selector status.phase=Running`.
//!
//! Rows and objects come by two streams, so that a row may be here before its object or after it. What is selected is
//! said by the objects' changes, each told with the row as it is; a row that changes by itself is told if its object is
//! selected. So the last that is told of an object is what it is, in whichever order both came.

use super::fields;
use crate::protocol::message::View;
use crate::store::{
    Change, ChangeKind, Changes, Clusters, Error, Filter, List, Sequence, Store, Stored,
};

/// The changes after a number that a filter of rows is to be told, at most `most` of either view.
pub(super) async fn changes(
    store: &Store,
    rows: &Filter,
    after: Sequence,
    most: usize,
) -> Result<Changes, Error> {
    let objects = Filter {
        view: View::Objects,
        ..rows.clone()
    };
    let any_field = Filter {
        fields: fields::of_name(&rows.fields),
        ..rows.clone()
    };
    let of_objects = store.changes(&objects, after, most).await?;
    let of_rows = store.changes(&any_field, after, most).await?;
    let up_to = of_objects.up_to.min(of_rows.up_to);
    let mut both: Vec<Change> = of_objects.items;
    both.extend(of_rows.items);
    both.retain(|change| change.object.seq <= up_to);
    both.sort_by_key(|change| change.object.seq);
    let mut items = Vec::new();
    for change in both {
        let told = match change.object.key.view {
            View::Rows => row(store, &objects, change).await?,
            _ => object(store, change).await?,
        };
        items.extend(told);
    }
    Ok(Changes { items, up_to })
}

/// A row has changed, and its object is selected.
async fn row(store: &Store, objects: &Filter, change: Change) -> Result<Option<Change>, Error> {
    if change.kind == ChangeKind::Deleted {
        return Ok(None);
    }
    let key = &change.object.key;
    let list = List {
        filter: Filter {
            clusters: Clusters::one(key.cluster.clone()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            ..objects.clone()
        },
        limit: 1,
        ..List::default()
    };
    let selected = !store.list(&list).await?.items.is_empty();
    Ok(selected.then_some(Change {
        kind: ChangeKind::Modified,
        ..change
    }))
}

/// An object has changed: its row says how it looks.
async fn object(store: &Store, change: Change) -> Result<Option<Change>, Error> {
    let mut key = change.object.key.clone();
    key.view = View::Rows;
    let row = match store.get(&key).await? {
        None => last_row(store, &change.object).await?,
        row => row,
    };
    Ok(row.map(|row| Change {
        kind: change.kind,
        object: Stored {
            seq: change.object.seq,
            ..row
        },
    }))
}

/// The row that an object had before it was deleted.
async fn last_row(store: &Store, object: &Stored) -> Result<Option<Stored>, Error> {
    let list = List {
        filter: Filter {
            clusters: Clusters::one(object.key.cluster.clone()),
            resource: object.key.resource.clone(),
            view: View::Rows,
            namespace: Some(object.key.namespace.clone()),
            name: Some(object.key.name.clone()),
            ..Filter::default()
        },
        at: Some(object.seq.saturating_sub(1)),
        ..List::default()
    };
    match store.list(&list).await {
        Ok(mut page) => Ok(page.items.pop()),
        Err(Error::Expired { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
