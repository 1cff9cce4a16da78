//! A query in the store's words. Pure.

use super::kinds;
use super::path::FieldPath;
use super::problem::Problem;
use super::query::{self, Operator, OrderBy, Query};
use super::scope::Scope;
use crate::protocol::message::View;
use crate::store::{self, By, Order, Owner, Search, Subject, Term, Test};

/// The store's search for a query.
///
/// # Errors
/// When a path is none that a database can look for.
pub(super) fn search(query: &Query, scope: &Scope) -> Result<Search, Problem> {
    let terms: Result<Vec<_>, Problem> = query.conditions.iter().map(term).collect();
    let owner = query.owner.clone().unwrap_or_default();
    Ok(Search {
        clusters: scope.clusters.clone(),
        view: View::Objects,
        resources: scope.resources.clone(),
        namespaces: query.namespaces.clone(),
        fuzzy: query.name.clone(),
        labels: query.labels.clone(),
        owner: Owner {
            kind: owner.kind.map(|word| kind(word, scope)),
            name: owner.name,
            uid: None,
        },
        created_from: query.created_after,
        created_before: query.created_before,
        terms: terms?,
        order: query.order.as_ref().map(order).transpose()?,
        limit: query.limit,
        after: query.page.as_ref().map(|page| page.cursor.clone()),
        ..Search::default()
    })
}

/// `deploy` is a Deployment. Owners may be of kinds that are not kept.
fn kind(word: String, scope: &Scope) -> String {
    match kinds::resolve(&word, &scope.known) {
        Ok(known) if !known.header.kind.is_empty() => known.header.kind.clone(),
        _ => word,
    }
}

/// The search for whether any object has a path.
///
/// # Errors
/// As [`search`].
pub(super) fn any_with(
    parameter: &'static str,
    path: &FieldPath,
    scope: &Scope,
) -> Result<Search, Problem> {
    Ok(Search {
        terms: vec![Term {
            subject: subject(parameter, path)?,
            test: Test::Exists,
        }],
        limit: 1,
        ..some_of(scope)
    })
}

/// The search for a few objects of those that are meant.
pub(super) fn some_of(scope: &Scope) -> Search {
    const FEW: usize = 32;
    Search {
        clusters: scope.clusters.clone(),
        view: View::Objects,
        resources: scope.resources.clone(),
        limit: FEW,
        ..Search::default()
    }
}

/// What the store counts by.
///
/// # Errors
/// As [`search`].
pub(super) fn by(by: &query::By) -> Result<By, Problem> {
    Ok(match by {
        query::By::Cluster => By::Cluster,
        query::By::Namespace => By::Namespace,
        query::By::Kind => By::Resource,
        query::By::Phase => By::Subject(phase()?),
        query::By::Label(key) => By::Label(key.clone()),
        query::By::Field(path) => By::Subject(subject("by", path)?),
    })
}

fn order(order: &query::Order) -> Result<Order, Problem> {
    let by = match &order.by {
        OrderBy::Created => By::Created,
        OrderBy::Name => By::Name,
        OrderBy::Namespace => By::Namespace,
        OrderBy::Phase => By::Subject(phase()?),
        OrderBy::Field(path) => By::Subject(subject("order", path)?),
    };
    Ok(Order {
        by,
        descending: order.descending,
    })
}

fn term(condition: &query::Condition) -> Result<Term, Problem> {
    let value = condition.value.clone();
    let test = match condition.operator {
        Operator::Equal => Test::Equals(value),
        Operator::NotEqual => Test::Differs(value),
        Operator::Less => Test::Less(value),
        Operator::AtMost => Test::AtMost(value),
        Operator::Greater => Test::Greater(value),
        Operator::AtLeast => Test::AtLeast(value),
        Operator::Contains => Test::Contains(value),
        Operator::Exists => Test::Exists,
        Operator::Absent => Test::Absent,
    };
    Ok(Term {
        subject: subject("where", &condition.path)?,
        test,
    })
}

fn phase() -> Result<Subject, Problem> {
    subject(
        "by",
        &FieldPath::parse(".status.phase").map_err(|why| Problem::parameter("by", why))?,
    )
}

/// The store reads paths as they are printed.
fn subject(parameter: &'static str, path: &FieldPath) -> Result<Subject, Problem> {
    let path = path.to_string().parse::<store::FieldPath>();
    path.map(Subject::Field)
        .map_err(|why| Problem::parameter(parameter, why))
}
