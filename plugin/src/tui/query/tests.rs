use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const LINES: [(&str, &str); 4] = [
    ("berlin\tshop\tweb-1\t1/1\tRunning\t0", "app=web"),
    ("berlin\tshop\tweb-2\t0/1\tCrashLoopBackOff\t12", "app=web"),
    ("osaka\tpay\tdb-0\t1/2\tRunning\t7", "app=db"),
    ("osaka\tpay\tcache\t1/1\tRunning\t1Gi", "app=cache"),
];
const COLUMNS: [&str; 6] = [
    "cluster",
    "namespace",
    "name",
    "ready",
    "status",
    "restarts",
];

fn taken(text: &str) -> String {
    let query = Query::parse(text).unwrap();
    let place = query
        .column()
        .and_then(|name| COLUMNS.iter().position(|it| *it == name));
    let mut sieve = Sieve::new(&query);
    let lines = LINES.iter().zip(0..).filter(|((haystack, label), number)| {
        let (key, value) = label.split_once('=').unwrap();
        let labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        sieve.takes(Looked {
            haystack,
            labels: &labels,
            label_set: *number,
            age: None,
            place,
        })
    });
    let names = lines.map(|((line, _), _)| line.split('\t').nth(2).unwrap());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_are_chosen() {
    for (text, want) in [
        ("", "web-1 web-2 db-0 cache"),
        ("!", "web-1 web-2 db-0 cache"),
        ("WEB", "web-1 web-2"),
        ("web-[12]", "web-1 web-2"),
        ("web-1|db", "web-1 db-0"),
        ("osaka", "db-0 cache"),
        ("!running", "web-2"),
        ("!BackOff", "web-1 db-0 cache"),
        ("-l app=web", "web-1 web-2"),
        ("-l app in (db,cache)", "db-0 cache"),
        ("-l", "web-1 web-2 db-0 cache"),
        ("-f cshlp", "web-2"),
        ("-f wb1", "web-1 web-2"),
        ("-f CRSH 2", "web-2"),
        ("-f ", "web-1 web-2 db-0 cache"),
        ("web-.", "web-1 web-2"),
        ("status:crash", "web-2"),
        ("name:^db", "db-0"),
        ("restarts:>5", "web-2 db-0 cache"),
        ("restarts:>=12", "web-2 cache"),
        ("restarts:<7", "web-1"),
        ("restarts:=1Gi", "cache"),
        ("restarts:=1gi", "cache"),
        ("restarts:<1M", "web-1 web-2 db-0"),
        ("restarts:<1m", "web-1"),
        ("status:=RUNNING", "web-1 db-0 cache"),
        ("ready:<1/1", "web-2"),
        ("nosuch:x", ""),
    ] {
        assert_eq!(taken(text), want, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_in_a_line() {
    for (text, why) in [
        ("web-[", "unclosed character class"),
        ("status:(", "unclosed group"),
        ("!*", "repetition operator missing expression"),
        ("-l app in", "unable to parse"),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert!(
            error.contains(why) && !error.contains('\n'),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_goes_on_narrows() {
    let narrows = |before, now| {
        let parse = |text| Query::parse(text).unwrap();
        parse(now).narrows(&parse(before))
    };
    for (before, now) in [
        ("w", "we"),
        ("WE", "web"),
        ("eb", "web"),
        ("-f w", "-f wb"),
        ("-f wb", "-f wb 1"),
        ("status:r", "status:ru"),
    ] {
        assert!(narrows(before, now), "{before} {now}");
    }
    for (before, now) in [
        ("we", "w"),
        ("!w", "!we"),
        ("w", "!w"),
        ("w.", "w.b"),
        ("", "w"),
        ("-f wb 1", "-f wb"),
        ("-f wb", "-f w b"),
        ("-l app=w", "-l app=web"),
        ("status:r", "ready:ru"),
        ("restarts:>5", "restarts:>55"),
    ] {
        assert!(!narrows(before, now), "{before} {now}");
    }
}

proptest! {
    /// Where it is said to, it does.
    #[test]
    fn what_narrows_takes_nothing_more(
        before in "(!|-f |[a-c]:)?[a-c.]{1,2}", after in "[a-c ]{0,2}", haystacks in prop::collection::vec("[a-d\t]{0,9}", 9),
    ) {
        let now = format!("{before}{after}");
        let (Ok(before), Ok(now)) = (Query::parse(&before), Query::parse(&now)) else { return Ok(()) };
        if now.narrows(&before) {
            let labels = BTreeMap::new();
            for haystack in &haystacks {
                let looked = Looked { haystack, labels: &labels, label_set: 0, age: None, place: Some(1) };
                prop_assert!(!Sieve::new(&now).takes(looked) || Sieve::new(&before).takes(looked));
            }
        }
    }

    #[test]
    fn nothing_that_is_typed_panics(text in "\\PC{0,16}", haystack in "\\PC{0,24}", place in prop::option::of(0..4_usize)) {
        if let Ok(query) = Query::parse(&text) {
            let labels = BTreeMap::new();
            Sieve::new(&query).takes(Looked { haystack: &haystack, labels: &labels, label_set: 0, age: None, place });
        }
    }
}
