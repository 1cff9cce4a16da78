//! The words of a label selector.

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `!`
    Not,
    /// `==`
    DoubleEquals,
    /// `=`
    Equals,
    /// `>`
    Greater,
    /// A key or a value.
    Identifier,
    /// `in`
    In,
    /// `<`
    Less,
    /// `!=`
    NotEquals,
    /// `notin`
    NotIn,
    /// `(`
    Open,
    /// There is no more.
    End,
}

/// Cuts a selector into its words. The last one is [`Token::End`].
pub(super) fn words(text: &str) -> Vec<(Token, &str)> {
    let mut lexer = Lexer { rest: text };
    let mut words = Vec::new();
    loop {
        let word = lexer.next_word();
        words.push(word);
        if word.0 == Token::End {
            return words;
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    fn next_word(&mut self) -> (Token, &'a str) {
        self.rest = self.rest.trim_start_matches(is_space);
        match self.rest.bytes().next() {
            None | Some(0) => (Token::End, ""),
            Some(byte) => match symbol(byte, self.rest) {
                Some((token, length)) => (token, self.take(length)),
                None => self.identifier(),
            },
        }
    }

    /// Up to the next space or symbol; a zero byte ends it too.
    fn identifier(&mut self) -> (Token, &'a str) {
        let ends = |c: char| c == '\0' || is_space(c) || is_symbol(c);
        let length = self.rest.find(ends).unwrap_or(self.rest.len());
        let word = self.take(length);
        let token = match word {
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ => Token::Identifier,
        };
        (token, word)
    }

    /// A zero byte after a word is lost, as in Go.
    fn take(&mut self, length: usize) -> &'a str {
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest.strip_prefix('\0').unwrap_or(rest);
        word
    }
}

/// The longest symbol at the start of a text that begins with this byte.
fn symbol(first: u8, text: &str) -> Option<(Token, usize)> {
    let doubled = text.as_bytes().get(1) == Some(&b'=');
    Some(match first {
        b'=' if doubled => (Token::DoubleEquals, 2),
        b'!' if doubled => (Token::NotEquals, 2),
        b'=' => (Token::Equals, 1),
        b'!' => (Token::Not, 1),
        b'>' => (Token::Greater, 1),
        b'<' => (Token::Less, 1),
        b'(' => (Token::Open, 1),
        b')' => (Token::Close, 1),
        b',' => (Token::Comma, 1),
        _ => return None,
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_symbol(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

#[cfg(test)]
mod tests {
    use super::Token::*;
    use super::*;

    #[test]
    fn words_are_cut_as_apimachinery_cuts_them() {
        let cases: [(&str, &[Token]); 18] = [
            ("", &[]),
            (",", &[Comma]),
            ("notin", &[NotIn]),
            ("in", &[In]),
            ("=", &[Equals]),
            ("==", &[DoubleEquals]),
            (">", &[Greater]),
            ("!=", &[NotEquals]),
            ("~", &[Identifier]),
            ("||", &[Identifier]),
            (
                "key in ( value )",
                &[Identifier, In, Open, Identifier, Close],
            ),
            (
                "key\tnotin\n( value )",
                &[Identifier, NotIn, Open, Identifier, Close],
            ),
            (
                "key in ( a, b )",
                &[Identifier, In, Open, Identifier, Comma, Identifier, Close],
            ),
            ("!key", &[Not, Identifier]),
            (
                "x in (),y",
                &[Identifier, In, Open, Close, Comma, Identifier],
            ),
            (
                "== != (), = notin",
                &[DoubleEquals, NotEquals, Open, Close, Comma, Equals, NotIn],
            ),
            ("key>2", &[Identifier, Greater, Identifier]),
            ("key<1", &[Identifier, Less, Identifier]),
        ];
        for (text, expected) in cases {
            let mut tokens: Vec<Token> = words(text).into_iter().map(|(token, _)| token).collect();
            assert_eq!(tokens.pop(), Some(End), "{text:?}");
            assert_eq!(tokens, expected, "{text:?}");
        }
    }
}
