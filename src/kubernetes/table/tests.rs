use super::*;
use crate::kubernetes::view::tests::pods;

const NOW: &str = "2026-11-24T12:00:00Z";

fn now() -> i64 {
    instant(NOW).unwrap()
}

fn rows(group: &str, plural: &str) -> Rows {
    Rows::new(&Resolved {
        group: group.into(),
        plural: plural.into(),
        ..pods()
    })
}

/// A row as text: cells by `|`, an instant as the seconds since it.
fn shown(value: &[u8]) -> String {
    let row = Row::decode(value).unwrap();
    let cell = |cell: Cell| {
        let parts = cell.parts.into_iter().map(|part| match part.part.unwrap() {
            part::Part::Text(text) => text,
            part::Part::SinceMs(at) => format!("<{}s>", (now() - at) / 1000),
            part::Part::Integer(number) => format!("#{number}"),
            part::Part::Null(_) => "null".into(),
        });
        parts.collect::<String>()
    };
    row.cells
        .into_iter()
        .map(cell)
        .collect::<Vec<_>>()
        .join(" | ")
}

fn metadata_of(value: &[u8]) -> String {
    String::from_utf8(Row::decode(value).unwrap().metadata.to_vec()).unwrap()
}

/// A Table of one row; columns as `Name:type`.
fn table(columns: &str, cells: &str, object: &str) -> String {
    let column = |column: &str| {
        let (name, kind) = column.split_once(':').unwrap();
        format!(r#"{{"name":"{name}","type":"{kind}","format":"","description":"d","priority":0}}"#)
    };
    let columns: Vec<String> = columns
        .split(',')
        .filter(|c| !c.is_empty())
        .map(column)
        .collect();
    format!(
        r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"7"}},"columnDefinitions":[{}],
            "rows":[{{"cells":[{cells}],"object":{object}}}]}}"#,
        columns.join(",")
    )
}

fn created(minutes_ago: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(now() - minutes_ago * 60_000).unwrap();
    format!(r#""creationTimestamp":"{at}""#)
}

fn check(group: &str, plural: &str, columns: &str, cells: &str, object: &str, expected: &str) {
    let page = rows(group, plural)
        .page(table(columns, cells, object).as_bytes(), now())
        .unwrap();
    assert_eq!(shown(&page[0].1), expected);
}

#[test]
fn restarts_of_pods() {
    let object = format!(
        r#"{{"metadata":{{"name":"web","namespace":"shop",{}}},"spec":{{"containers":[{{"name":"a"}}]}},
            "status":{{"phase":"Running","containerStatuses":[{{"name":"a","restartCount":3,"state":{{"running":{{}}}},
            "lastState":{{"terminated":{{"exitCode":1,"finishedAt":"2026-11-24T11:54:57Z"}}}}}}]}}}}"#,
        created(90)
    );
    check(
        "",
        "pods",
        "Name:string,Ready:string,Status:string,Restarts:string,Age:string,IP:string",
        r#""web","1/1","Running","3 (5m3s ago)","90m","10.0.0.1""#,
        &object,
        "web | 1/1 | Running | 3 (<303s> ago) | <5400s> | 10.0.0.1",
    );
}

#[test]
fn both_times_of_events() {
    let object = format!(
        r#"{{"metadata":{{"name":"web.1","namespace":"shop",{}}},"firstTimestamp":"2026-11-24T10:00:00Z",
            "lastTimestamp":"2026-11-24T11:59:00Z","count":3,"message":"no"}}"#,
        created(120)
    );
    check(
        "",
        "events",
        "Last Seen:string,Type:string,Message:string,First Seen:string,Count:integer",
        r#""60s","Warning","5m","2h0m",3"#,
        &object,
        "<60s> | Warning | 5m | <7200s> | #3",
    );
}

#[test]
fn jobs_and_cronjobs() {
    let job = |status: &str| {
        format!(
            r#"{{"metadata":{{"name":"j","namespace":"x",{}}},"status":{status}}}"#,
            created(5)
        )
    };
    let columns = "Name:string,Status:string,Duration:string,Age:string";
    let running = job(r#"{"startTime":"2026-11-24T11:55:30Z"}"#);
    check(
        "batch",
        "jobs",
        columns,
        r#""j","Running","4m30s","5m""#,
        &running,
        "j | Running | <270s> | <300s>",
    );
    let done =
        job(r#"{"startTime":"2026-11-24T11:55:30Z","completionTime":"2026-11-24T11:56:00Z"}"#);
    check(
        "batch",
        "jobs",
        columns,
        r#""j","Complete","30s","5m""#,
        &done,
        "j | Complete | 30s | <300s>",
    );
    let columns = "Name:string,Schedule:string,Active:integer,Last Schedule:string,Age:string";
    let cron = job(r#"{"lastScheduleTime":"2026-11-24T11:59:00Z"}"#);
    check(
        "batch",
        "cronjobs",
        columns,
        r#""c","*/5 * * * *",0,"60s","5m""#,
        &cron,
        "c | */5 * * * * | #0 | <60s> | <300s>",
    );
    check(
        "batch",
        "cronjobs",
        columns,
        r#""c","@daily",0,"<none>","5m""#,
        &job("{}"),
        "c | @daily | #0 | <none> | <300s>",
    );
}

#[test]
fn leases_and_other_built_in_kinds_show_their_age() {
    let object = format!(
        r#"{{"kind":"PartialObjectMetadata","metadata":{{"name":"l","namespace":"x",{}}}}}"#,
        created(13)
    );
    let columns = "Name:string,Holder:string,Age:string";
    check(
        "coordination.k8s.io",
        "leases",
        columns,
        r#""l","5m","13m""#,
        &object,
        "l | 5m | <780s>",
    );
}

#[test]
fn dates_of_custom_resources_stay_while_their_text_does() {
    let mut rows = rows("shop.example.com", "carts");
    let object = format!(
        r#"{{"metadata":{{"name":"c","namespace":"x",{}}}}}"#,
        created(300)
    );
    let columns = "Name:string,Last Sync:date,Spare:string,Age:date";
    let cells = |sync: &str| format!(r#""c",{sync},"5m","5h""#);
    let page = rows
        .page(
            table(columns, &cells(r#""12m""#), &object).as_bytes(),
            now(),
        )
        .unwrap();
    assert_eq!(shown(&page[0].1), "c | <721s> | 5m | <18000s>");
    // Seen again 30 s later, by a watch, then by a relist: the instant is the same, and so are the bytes.
    let later = |rows: &mut Rows, sync: &str, seconds: i64| {
        let line = table("", &cells(sync), &object);
        let raw: &RawValue = serde_json::from_str(&line).unwrap();
        match rows.event("MODIFIED", raw, now() + seconds * 1000).unwrap() {
            Change::Put((_, value), _) => value,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(later(&mut rows, r#""12m""#, 30), page[0].1);
    rows.start_list();
    let relisted = rows
        .page(
            table(columns, &cells(r#""12m""#), &object).as_bytes(),
            now() + 40_000,
        )
        .unwrap();
    assert_eq!(relisted, page);
    assert_eq!(
        shown(&later(&mut rows, r#""3s""#, 60)),
        "c | <-56s> | 5m | <18000s>"
    );
    assert_eq!(
        shown(&later(&mut rows, "null", 60)),
        "c | null | 5m | <18000s>"
    );
}

#[test]
fn what_changes_nothing_visible_changes_no_byte() {
    let object = |version: &str, applied: &str| {
        format!(
            r#"{{"metadata":{{"name":"a","namespace":"x","resourceVersion":"{version}",{},"labels":{{"app":"a"}},
                "annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{applied}","b":"1"}},
                "managedFields":[{{"time":"{version}"}}]}}}}"#,
            created(3)
        )
    };
    let read = |object: &str, now: i64, age: &str| {
        let body = table("Name:string,Age:string", &format!(r#""a","{age}""#), object);
        rows("", "configmaps").page(body.as_bytes(), now).unwrap()
    };
    let before = read(&object("1", "x"), now(), "3m");
    assert_eq!(before, read(&object("2", "y"), now() + 90_000, "4m30s"));
    assert_eq!(
        metadata_of(&before[0].1),
        format!(
            r#"{{"annotations":{{"b":"1"}},{},"labels":{{"app":"a"}},"name":"a","namespace":"x"}}"#,
            created(3)
        )
    );
}

#[test]
fn a_secrets_row_has_no_value() {
    let canary = "Y2FuYXJ5";
    let object = format!(
        r#"{{"metadata":{{"name":"s","namespace":"x",{},"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{canary}"}}}},
            "data":{{"p":"{canary}"}},"stringData":{{"p":"{canary}"}}}}"#,
        created(3)
    );
    let body = table(
        "Name:string,Type:string,Data:integer,Age:string",
        r#""s","Opaque",1,"3m""#,
        &object,
    );
    let page = rows("", "secrets").page(body.as_bytes(), now()).unwrap();
    assert_eq!(shown(&page[0].1), "s | Opaque | #1 | <180s>");
    let value = page[0].1.to_vec();
    assert!(
        !value
            .windows(canary.len())
            .any(|window| window == canary.as_bytes())
    );
}

#[test]
fn events_of_a_watch() {
    let mut rows = rows("", "configmaps");
    let columns = "Name:string,Age:string";
    rows.page(
        table(columns, "", r#"{"metadata":{"name":"a"}}"#).as_bytes(),
        now(),
    )
    .unwrap();
    let mut event = |kind: &str, columns: &str| {
        let object = r#"{"metadata":{"name":"a","namespace":"x","resourceVersion":"9"}}"#;
        let line = table(columns, r#""a","3m""#, object);
        rows.event(kind, serde_json::from_str(&line).unwrap(), now())
            .unwrap()
    };
    assert!(
        matches!(event("ADDED", columns), Change::Put((key, _), version) if key == "x/a" && version == "9")
    );
    assert!(matches!(event("MODIFIED", ""), Change::Put(..)));
    assert_eq!(
        event("DELETED", ""),
        Change::Delete("x/a".into(), "9".into())
    );
    assert_eq!(event("BOOKMARK", ""), Change::Bookmark("9".into()));
    assert_eq!(event("SOMETHING", ""), Change::Nothing);
    // A custom resource got another column.
    assert_eq!(
        event("MODIFIED", "Name:string,More:string,Age:string"),
        Change::Relist
    );
}

#[test]
fn a_bookmark_without_rows_still_tells_its_version() {
    let line = r#"{"kind":"Table","metadata":{"resourceVersion":"12"},"columnDefinitions":null,"rows":null}"#;
    let change = rows("", "pods").event("BOOKMARK", serde_json::from_str(line).unwrap(), now());
    assert_eq!(change.unwrap(), Change::Bookmark("12".into()));
}

#[test]
fn without_a_table_rows_are_name_and_age() {
    let mut rows = rows("metrics.example.com", "loads");
    let item = format!(
        r#"{{"metadata":{{"name":"l","namespace":"x","resourceVersion":"3",{}}},"usage":{{}}}}"#,
        created(4)
    );
    let body =
        format!(r#"{{"kind":"LoadList","metadata":{{"resourceVersion":"8"}},"items":[{item}]}}"#);
    let page = rows.page(body.as_bytes(), now()).unwrap();
    assert_eq!(shown(&page[0].1), "l | <240s>");
    assert_eq!(rows.columns().len(), 2);
    let mut event = |kind: &str, object: &str| {
        rows.event(kind, serde_json::from_str(object).unwrap(), now())
            .unwrap()
    };
    let put = event("MODIFIED", &item);
    assert!(matches!(put, Change::Put(entry, version) if entry == page[0] && version == "3"));
    assert_eq!(
        event("DELETED", &item),
        Change::Delete("x/l".into(), "3".into())
    );
    assert_eq!(
        event("BOOKMARK", r#"{"metadata":{"resourceVersion":"20"}}"#),
        Change::Bookmark("20".into())
    );
    // The server learned to make tables.
    assert_eq!(
        event("MODIFIED", &table("Name:string", r#""l""#, &item)),
        Change::Relist
    );
}

#[test]
fn odd_tables_are_errors_or_harmless() {
    let page = |body: &str| rows("", "pods").page(body.as_bytes(), now());
    for body in [
        "",
        r#"{"kind":"Table","rows":[{"cells":[]}]}"#,
        r#"{"kind":"Table","rows":[{"cells":[],"object":{}}]}"#,
    ] {
        assert!(page(body).is_err(), "{body}");
    }
    let more_cells_than_columns = table(
        "Name:string",
        r#""a","b","c""#,
        r#"{"metadata":{"name":"a"}}"#,
    );
    assert_eq!(shown(&page(&more_cells_than_columns).unwrap()[0].1), "a");
    let status_is_no_object = table(
        "Name:string,Restarts:string",
        r#""a","3 (5m ago)""#,
        r#"{"metadata":{"name":"a"},"status":7}"#,
    );
    assert_eq!(
        shown(&page(&status_is_no_object).unwrap()[0].1),
        "a | 3 (5m ago)"
    );
}
