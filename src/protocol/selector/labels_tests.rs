//! The cases are those of apimachinery's `labels/selector_test.go`; the errors are what its parser says.

use super::*;
use proptest::prelude::*;

fn printed(text: &str) -> String {
    LabelSelector::parse(text).unwrap().to_string()
}

fn error(text: &str) -> String {
    LabelSelector::parse(text).unwrap_err().to_string()
}

#[test]
fn selectors_that_mean_the_same_are_printed_alike() {
    let cases = [
        ("", ""),
        ("x=a,y=b,z=c", "x=a,y=b,z=c"),
        ("z=c,x==a , y = b,x=a", "x=a,y=b,z=c"),
        ("x!=a,y=b", "x!=a,y=b"),
        ("x= ", "x="),
        ("x= ,z= ", "x=,z="),
        ("!x", "!x"),
        ("x>1,z<5", "x>1,z<5"),
        ("\rx", "x"),
        (
            "this-is-a-dns.domain.com/key-with-dash",
            "this-is-a-dns.domain.com/key-with-dash",
        ),
        (
            "0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)",
            "0.1.2.domain/99 notin (10.10.100.1,tick.tack.clock)",
        ),
        ("foo  in\t (abc)", "foo=abc"),
        ("x notin\n (abc)", "x!=abc"),
        ("x  notin\t\t(def,abc)", "x notin (abc,def)"),
        ("x in (abc,)", "x in (,abc)"),
        ("x in (abc,abc)", "x=abc"),
        ("x in ()", "x="),
        ("x in (a,,,,,,)", "x in (,a)"),
        ("x in (a,,a,,a,,a,,)", "x in (,a)"),
        (
            "x notin (abc,,def),bar,z in (),w",
            "bar,w,x notin (,abc,def),z=",
        ),
        ("x,y in (a)", "x,y=a"),
        ("x=a,y!=b,z in (j,i,h)", "x=a,y!=b,z in (h,i,j)"),
        ("x notin ( )", "x!="),
        ("x notin (, a)", "x notin (,a)"),
        ("a ", "a"),
        ("a in (x,y,notin, z,in)", "a in (in,notin,x,y,z)"),
        ("notin,in=in,!in,in", "in,!in,in=in,notin"),
    ];
    for (text, expected) in cases {
        assert_eq!(printed(text), expected, "{text:?}");
        assert_eq!(printed(expected), expected, "{text:?}");
    }
    assert!(LabelSelector::parse(" ").unwrap().is_empty());
    assert!(!LabelSelector::parse("x").unwrap().is_empty());
}

#[test]
fn errors_are_apimachinery_s() {
    let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let name = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let integer = "for 'Gt', 'Lt' operators, the value must be an integer";
    let cases = [
        ("x==a==b", "found '==', expected: ',' or 'end of string'".to_owned()),
        ("!x=a", "found '=', expected: ',' or 'end of string'".to_owned()),
        ("x=a b", "found 'b', expected: ',' or 'end of string'".to_owned()),
        ("a in (xyz)b notin ()", "found 'b', expected: ',' or 'end of string'".to_owned()),
        ("x,,y", "found ',', expected: identifier after ','".to_owned()),
        ("a in (xyz),", "found '', expected: identifier after ','".to_owned()),
        (",x,y", "found ',', expected: !, identifier, or 'end of string'".to_owned()),
        ("x nott in (y)", "unable to parse requirement: found 'nott', expected: in, notin, =, ==, !=, gt, lt".to_owned()),
        ("a in", "unable to parse requirement: found '' expected: '('".to_owned()),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'".to_owned()),
        ("x in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'".to_owned()),
        ("x in (,", "unable to parse requirement: found '', expected: ',', or identifier".to_owned()),
        ("x in (=", "unable to parse requirement: found '=', expected: ',', ')' or identifier".to_owned()),
        ("!", "unable to parse requirement: found '', expected: identifier".to_owned()),
        ("x==(a)", "unable to parse requirement: found '(', expected: identifier".to_owned()),
        ("x=a||y=b", format!("unable to parse requirement: values[0][x]: Invalid value: \"a||y\": {value}")),
        ("x<a", format!("unable to parse requirement: values[0]: Invalid value: \"a\": {integer}")),
        ("x>-", format!("unable to parse requirement: [values[0]: Invalid value: \"-\": {integer}, values[0][x]: Invalid value: \"-\": {value}]")),
        ("_x", format!("unable to parse requirement: <nil>: Invalid value: \"_x\": name part {name}")),
        ("x/", format!("unable to parse requirement: <nil>: Invalid value: \"x/\": name part must be non-empty; name part {name}")),
        ("/x", "unable to parse requirement: <nil>: Invalid value: \"/x\": prefix part must be non-empty".to_owned()),
        ("a/b/c", format!("unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key {name} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected, "{text:?}");
    }
    let long = "a".repeat(64);
    assert!(error(&long).ends_with("name part must be no more than 63 bytes"));
    assert!(error(&format!("x={long}")).ends_with("must be no more than 63 bytes"));
    assert!(error("A_/x=1").contains("prefix part a lowercase RFC 1123 subdomain must"));
}

#[test]
fn labels_match_as_in_apimachinery() {
    type Labels = &'static [(&'static str, &'static str)];
    let cases: [(&str, Labels, bool); 29] = [
        ("", &[("x", "y")], true),
        ("x=y", &[("x", "y")], true),
        ("x=y,z=w", &[("x", "y"), ("z", "w")], true),
        ("x!=y,z!=w", &[("x", "z"), ("z", "a")], true),
        ("notin=in", &[("notin", "in")], true),
        ("x", &[("x", "z")], true),
        ("!x", &[("y", "z")], true),
        ("x>1", &[("x", "2")], true),
        ("x<1", &[("x", "0")], true),
        ("x=z", &[], false),
        ("x=y", &[("x", "z")], false),
        ("x=y,z=w", &[("x", "w"), ("z", "w")], false),
        ("x!=y,z!=w", &[("x", "z"), ("z", "w")], false),
        ("x", &[("y", "z")], false),
        ("!x", &[("x", "z")], false),
        ("x>1", &[("x", "0")], false),
        ("x>1", &[("x", "1")], false),
        ("x<1", &[("x", "2")], false),
        ("x<1", &[], false),
        ("foo=bar,baz=blah", &[("foo", "bar"), ("baz", "blah")], true),
        (
            "foo=bar,foobar=bar,baz=blah",
            &[("foo", "bar"), ("baz", "blah")],
            false,
        ),
        (
            "x in (foo),y notin (alpha)",
            &[("x", "foo"), ("y", "baz")],
            true,
        ),
        (
            "x in (foo),y in (alpha)",
            &[("x", "foo"), ("y", "baz")],
            false,
        ),
        ("x notin (),y", &[("y", "")], true),
        ("!x,y", &[("y", "")], true),
        ("x notin (),!y", &[("y", "")], false),
        ("x in ()", &[("y", "baz")], false),
        ("x in (a,b)", &[("x", "b")], true),
        ("z>1", &[("z", "v2")], false),
    ];
    for (text, labels, expected) in cases {
        let find = |key: &str| labels.iter().find(|it| it.0 == key).map(|it| it.1);
        let matched = LabelSelector::parse(text).unwrap().matches(find);
        assert_eq!(matched, expected, "{text} on {labels:?}");
    }
}

proptest! {
    #[test]
    fn what_was_printed_is_read_as_the_same(text in "(!?[a-c](=|==|!=|>|<| in | notin |)[(]?[a-c1, ]{0,4}[)]?,?){0,4}") {
        if let Ok(selector) = LabelSelector::parse(&text) {
            prop_assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = LabelSelector::parse(&text);
    }
}
