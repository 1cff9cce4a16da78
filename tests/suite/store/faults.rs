//! Databases that are away, files that are others', and processes that die.

use super::*;
use mqtt_informer::store::OpenError;
use std::time::Duration;

on_both!(
    a_schema_of_a_newer_version_is_refused,
    a_write_that_is_given_up_is_whole_or_nothing
);

async fn a_schema_of_a_newer_version_is_refused(home: Home) {
    home.store.close().await;
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', TRUE, ";
    if let Some(file) = home.url.strip_prefix("sqlite://") {
        let later = format!("{insert} X'00', 1)");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(later))
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    } else {
        let later = format!("{insert} '\\x00', 1)");
        let pool = sqlx::PgPool::connect(&home.url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(later))
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    }
    drop(home.store);
    let error = Store::open(&home.url, options()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer(99)), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");
}

/// A caller that goes away at any moment: either all of a batch is there, or nothing of it.
async fn a_write_that_is_given_up_is_whole_or_nothing(home: Home) {
    let store = home.store;
    let batch = |n: i64| {
        let changes = (0..300).map(|i| put(&format!("p{i:03}"), pod("p", "1", n)));
        whole(stream("c1"), changes.collect())
    };
    store.write(batch(0)).await.unwrap();
    let mut done = 0;
    for patience in 0..40_u32 {
        let write = store.write(batch(i64::from(patience) + 1));
        let patience = Duration::from_micros(500) * patience;
        done += u32::from(tokio::time::timeout(patience, write).await.is_ok());
        let page = store
            .list(&List {
                filter: filter(),
                ..List::default()
            })
            .await
            .unwrap();
        let values: std::collections::BTreeSet<_> =
            page.items.iter().map(|it| it.value.clone()).collect();
        assert_eq!(
            (page.items.len(), values.len()),
            (300, 1),
            "given up after {patience:?}"
        );
        assert_eq!(page.at % 300, 0);
    }
    assert!(done < 40);
    store.write(batch(99)).await.unwrap();
}

#[tokio::test]
async fn a_file_has_one_process() {
    let home = sqlite().await;
    let error = Store::open(&home.url, options()).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(home.store);
    Store::open(&home.url, options()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_store_is_said() {
    let home = sqlite().await;
    let file = home.url.strip_prefix("sqlite://").unwrap();
    let damaged = format!("{file}.txt");
    std::fs::write(
        &damaged,
        "no database at all, but long enough to be looked at".repeat(20),
    )
    .unwrap();
    for url in [
        "mysql://u:secret@h/d".to_owned(),
        "secret".into(),
        format!("sqlite://{damaged}"),
        "sqlite:///nowhere/at/all.db".into(),
        "postgres://u:secret@127.0.0.1:1/d".into(),
    ] {
        let error = Store::open(&url, options()).await.unwrap_err().to_string();
        assert!(
            !error.contains("secret") && !error.contains('\n'),
            "{error}"
        );
    }
}

/// The server is killed while it writes: what it has afterwards are whole batches, and everything goes on.
#[tokio::test]
async fn postgres_is_away_and_comes_back() {
    let bed = Bed::shared().unwrap();
    let postgres = bed.private_postgres().unwrap();
    let url = postgres.database().unwrap();
    let store = Store::open(&url, options()).await.unwrap();
    let other = Store::open(&url, options()).await.unwrap();
    let mut news = other.sequence();
    let batch = |n: i64| {
        let changes = (0..500).map(|i| put(&format!("p{i}"), pod("p", "1", n)));
        step(stream("c1"), changes.collect())
    };
    store.write(batch(0)).await.unwrap();
    news.wait_for(|seq| *seq == 500).await.unwrap();
    // In the middle of a batch: one is written after the other meanwhile.
    let (busy, is_busy) = std::sync::mpsc::channel();
    let kill = tokio::task::spawn_blocking(move || {
        is_busy.recv().unwrap();
        postgres.component().kill_9().map(|()| postgres)
    });
    let (kill, written) = tokio::join!(kill, async {
        let mut n = 0;
        loop {
            n += 1;
            if let Err(error) = store.write(batch(n)).await {
                return (n, error);
            }
            // Who is killed hears no more of it.
            let _: Result<_, _> = busy.send(());
        }
    });
    let postgres = kill.unwrap().unwrap();
    let (n, error) = written;
    assert!(error.is_retryable(), "{error:?}");
    let error = store.get(&key("c1", "p0")).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    postgres.restart().unwrap();
    let page = store
        .list(&List {
            filter: filter(),
            ..List::default()
        })
        .await
        .unwrap();
    let values: std::collections::BTreeSet<_> =
        page.items.iter().map(|it| it.value.clone()).collect();
    assert_eq!((page.items.len(), values.len()), (500, 1));
    // Whether the last one was committed cannot be known: it is written again.
    let seq = store.write(batch(n)).await.unwrap();
    assert_eq!(seq % 500, 0);
    // Who listens is told again, too.
    store.write(batch(n + 1)).await.unwrap();
    news.wait_for(|it| *it == seq + 500).await.unwrap();
}
