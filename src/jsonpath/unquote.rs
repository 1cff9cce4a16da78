//! Text between quotes: `UnquoteExtend` of client-go's parser.go, with `strconv.UnquoteChar`.

/// What is meant by a word that begins and ends with its quote, `"` or `'`; none if Go calls it "invalid syntax".
pub(super) fn unquote(word: &str) -> Option<String> {
    let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
    if !inside.contains(['\\', quote]) {
        return Some(inside.to_owned());
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            // A quote within, or a single one left over.
            c if c == quote => return None,
            '\\' => rest = escape(rest, quote, &mut out)?,
            c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    // `\xff` is a byte, which need not be text.
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// Reads what follows a backslash; answers what is left.
fn escape<'a>(rest: &'a str, quote: char, out: &mut Vec<u8>) -> Option<&'a str> {
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    let simple = match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '\'' | '"' if c == quote => c as u8,
        'x' => return number(after, 2, 16).and_then(|(code, rest)| byte(code, rest, out)),
        '0'..='7' => return number(rest, 3, 8).and_then(|(code, rest)| byte(code, rest, out)),
        'u' => return number(after, 4, 16).and_then(|(code, rest)| character(code, rest, out)),
        'U' => return number(after, 8, 16).and_then(|(code, rest)| character(code, rest, out)),
        _ => return None,
    };
    out.push(simple);
    Some(after)
}

fn number(text: &str, digits: usize, radix: u32) -> Option<(u32, &str)> {
    let word = text.get(..digits)?;
    if !word.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(word, radix).ok()?, &text[digits..]))
}

fn byte<'a>(code: u32, rest: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    out.push(u8::try_from(code).ok()?);
    Some(rest)
}

fn character<'a>(code: u32, rest: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let c = char::from_u32(code)?;
    out.extend(c.encode_utf8(&mut [0; 4]).bytes());
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn as_go_unquotes() {
        for (word, want) in [
            (r#""plain""#, Some("plain")),
            (r#"'a"b'"#, Some("a\"b")),
            (r#""a\n\t\\\"""#, Some("a\n\t\\\"")),
            (r#"'\''"#, Some("'")),
            (r#""\'""#, None),
            (r#""\x41\101\u00e9\U0001F600""#, Some("AAé😀")),
            (r#""\q""#, None),
            (r#""\x4""#, None),
            (r#""\400""#, None),
            (r#""\ud800""#, None),
            (r#"'"#, None),
            (r#""a'"#, None),
        ] {
            assert_eq!(unquote(word).as_deref(), want, "{word}");
        }
    }
}
