//! Who may read which clusters: the token file. Pure but for reading it.
//!
//! One user a line, `token,user[,cluster-glob...]`, without globs all clusters; `#` begins a comment. What is served of all
//! clusters is served of those only that the user may read.

use crate::protocol::names::ClusterName;
use crate::store::Clusters;
use anyhow::{Context, Result, bail};
use regex::RegexSet;
use std::path::Path;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The shortest token: shorter ones can be guessed.
const MIN_TOKEN: usize = 16;

/// Who may read what.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody everything: on loopback only.
    Open,
    /// Who has a token.
    Tokens(Arc<Vec<Holder>>),
}

/// One line of the token file.
#[derive(Debug)]
pub struct Holder {
    token: Vec<u8>,
    user: User,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub name: Arc<str>,
    /// None for all clusters.
    clusters: Option<Arc<RegexSet>>,
}

impl Access {
    /// Reads a token file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let what = || format!("--token-file {}", path.display());
        let text = std::fs::read_to_string(path).with_context(what)?;
        Self::parse(&text).with_context(what)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate();
        let meant = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let holders: Result<Vec<_>> = meant
            // Never the line itself: it is a secret.
            .map(|(index, line)| holder(line).with_context(|| format!("line {}", index + 1)))
            .collect();
        let holders = holders?;
        if holders.is_empty() {
            bail!(
                "it has no tokens; write one user a line: token,user or token,user,cluster-glob,..."
            );
        }
        Ok(Self::Tokens(Arc::new(holders)))
    }

    /// Who asks with this `Authorization` header; None is to be answered with 401.
    #[must_use]
    pub fn user(&self, authorization: Option<&str>) -> Option<User> {
        let Self::Tokens(holders) = self else {
            return Some(User {
                name: "system:anonymous".into(),
                clusters: None,
            });
        };
        let token = authorization
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())?;
        // All are compared, each in a time that does not depend on how much of it is right.
        let mut found = None;
        for holder in holders.iter() {
            if holder.token.ct_eq(token.as_bytes()).into() {
                found = Some(holder.user.clone());
            }
        }
        found
    }
}

fn holder(line: &str) -> Result<Holder> {
    let mut fields = line.split(',').map(str::trim);
    let token = fields.next().unwrap_or_default();
    let user = fields.next().unwrap_or_default();
    if token.len() < MIN_TOKEN {
        bail!("the token is shorter than {MIN_TOKEN} characters: use `openssl rand -hex 32`");
    }
    if user.is_empty() {
        bail!("there is no user behind the token; write token,user or token,user,cluster-glob,...");
    }
    let globs: Vec<_> = fields
        .filter(|glob| !glob.is_empty())
        .map(expression)
        .collect();
    let clusters = match globs.is_empty() {
        true => None,
        false => Some(Arc::new(RegexSet::new(globs).context("the clusters")?)),
    };
    Ok(Holder {
        token: token.as_bytes().to_vec(),
        user: User {
            name: user.into(),
            clusters,
        },
    })
}

/// `prod-*`: `*` is any text, `?` any character.
fn expression(glob: &str) -> String {
    let mut out = String::from("(?s)^");
    for c in glob.chars() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
}

impl User {
    /// Whether the user may read that cluster.
    #[must_use]
    pub fn may_read(&self, cluster: &str) -> bool {
        self.clusters.as_ref().is_none_or(|it| it.is_match(cluster))
    }

    /// What of all clusters the user may read.
    pub(super) fn clusters<'a>(&self, all: impl Iterator<Item = &'a ClusterName>) -> Clusters {
        match self.clusters {
            None => Clusters::All,
            Some(_) => Clusters::Some(
                all.filter(|it| self.may_read(it.as_str()))
                    .cloned()
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# who reads\n\
        0123456789abcdef,ann\n\
        \n\
        fedcba9876543210, bob, prod-*, x?y\n";

    fn user(header: &str) -> Option<String> {
        let access = Access::parse(FILE).unwrap();
        access.user(Some(header)).map(|user| user.name.to_string())
    }

    #[test]
    fn a_token_says_who_asks() {
        assert_eq!(user("Bearer 0123456789abcdef").as_deref(), Some("ann"));
        assert_eq!(user("bearer  fedcba9876543210 ").as_deref(), Some("bob"));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Basic 0123456789abcdef",
            "Bearer # who reads",
        ] {
            assert_eq!(user(header), None, "{header}");
        }
        assert!(Access::parse(FILE).unwrap().user(None).is_none());
        assert!(Access::Open.user(None).is_some());
    }

    #[test]
    fn globs_say_which_clusters() {
        let access = Access::parse(FILE).unwrap();
        let bob = access.user(Some("Bearer fedcba9876543210")).unwrap();
        for (cluster, expected) in [
            ("prod-1", true),
            ("prod-", true),
            ("xay", true),
            ("xy", false),
            ("my-prod-1", false),
            ("prod", false),
            ("*", false),
        ] {
            assert_eq!(bob.may_read(cluster), expected, "{cluster}");
        }
        let all = [
            ClusterName::new("prod-1").unwrap(),
            ClusterName::new("test").unwrap(),
        ];
        let one = Clusters::Some(vec![all[0].clone()]);
        assert_eq!(bob.clusters(all.iter()), one);
        let ann = access.user(Some("Bearer 0123456789abcdef")).unwrap();
        assert_eq!(ann.clusters(all.iter()), Clusters::All);
    }

    #[test]
    fn a_file_that_says_nothing_is_refused_without_its_secrets() {
        for (text, why) in [
            ("", "it has no tokens"),
            ("# a\n", "it has no tokens"),
            ("0123456789abcdef\n", "no user"),
            ("short,ann\n", "shorter than 16"),
        ] {
            let error = format!("{:#}", Access::parse(text).unwrap_err());
            assert!(
                error.contains(why) && !error.contains("0123456789abcdef"),
                "{error}"
            );
        }
    }
}
