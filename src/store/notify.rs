//! News of commits: who writes tells this process at once, and PostgreSQL tells the others.

use super::database::{Database, Transaction};
use super::error::Error;
use super::schema;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// One channel a schema: a database may have several stores.
const NOTIFY: &str = "SELECT pg_notify('mqtt_informer_' || current_schema(), ";
const CHANNEL: &str = "SELECT 'mqtt_informer_' || current_schema()";
/// Between two tries to listen again.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells other processes, when the transaction commits.
pub(super) async fn tell(transaction: &mut Transaction, seq: i64) -> Result<(), Error> {
    if matches!(transaction, Transaction::Postgres(_)) {
        let mut sql = transaction.sql(NOTIFY);
        sql.bind(seq.to_string()).push(")");
        transaction.execute(sql).await?;
    }
    Ok(())
}

/// Says that a number is visible now; an older one is no news.
pub(super) fn heard(newest: &watch::Sender<u64>, seq: u64) {
    newest.send_if_modified(|newest| {
        let news = seq > *newest;
        *newest = seq.max(*newest);
        news
    });
}

/// Listens to other processes. SQLite has none.
pub(super) async fn listen(
    database: &Database,
    newest: &watch::Sender<u64>,
) -> Result<Option<AbortHandle>, Error> {
    let Database::Postgres(pool) = database else {
        return Ok(None);
    };
    let channel = database.fetch(database.sql(CHANNEL)).await?;
    let Some(channel) = channel.first().map(|row| row.text(0)).transpose()? else {
        return Err(Error::Refused("it has no current schema".into()));
    };
    let mut listener = subscribed(pool, &channel).await?;
    let (database, pool, newest) = (database.clone(), pool.clone(), newest.clone());
    let task = tokio::spawn(async move {
        loop {
            // Only who listens already misses nothing after its look.
            if let Ok(seq) = schema::newest(&database).await {
                heard(&newest, seq);
            }
            while let Ok(Some(notification)) = listener.try_recv().await {
                if let Ok(seq) = notification.payload().parse() {
                    heard(&newest, seq);
                }
            }
            // One that connects again by itself would do so after the look: what is committed between is no news then.
            listener = loop {
                tokio::time::sleep(PAUSE).await;
                if let Ok(again) = subscribed(&pool, &channel).await {
                    break again;
                }
            };
        }
    });
    Ok(Some(task.abort_handle()))
}

async fn subscribed(pool: &PgPool, channel: &str) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    Ok(listener)
}
