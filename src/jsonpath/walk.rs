//! What a template finds in an object: a port of `k8s.io/client-go/util/jsonpath` (jsonpath.go).
//!
//! Its order is kept but for the values of an object, which Go visits by chance and we by their keys.

use super::compare;
use super::item::Item;
use super::parser::{Bound, Filter, Node};

/// Ranges within ranges beyond this are refused: each is a call within a call.
const DEEPEST_RANGE: usize = 100;

/// An error, and what had been found until then: a filter that only asks whether something exists takes that.
struct Fail<'a> {
    found: Vec<Item<'a>>,
    message: String,
}

type Found<'a> = Result<Vec<Item<'a>>, Fail<'a>>;

/// One pass of a template over one object.
pub(super) struct Walk<'a> {
    nodes: &'a [Node],
    allow_missing_keys: bool,
    /// Ranges that begin here, that we are in, and that end here.
    begins: usize,
    inside: usize,
    ends: usize,
    /// The root node that ended a range last.
    last_end: Option<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(nodes: &'a [Node], allow_missing_keys: bool) -> Self {
        Self {
            nodes,
            allow_missing_keys,
            begins: 0,
            inside: 0,
            ends: 0,
            last_end: None,
        }
    }

    /// What the root nodes from `first` on find, each by itself; a range's as often as it goes round.
    pub(super) fn find(
        &mut self,
        data: Item<'a>,
        first: usize,
    ) -> Result<Vec<Vec<Item<'a>>>, String> {
        let data = if data.is_null() { Item::Nothing } else { data };
        let mut all = Vec::new();
        let mut at = first;
        while let Some(node) = self.nodes.get(at) {
            let found = self.node(vec![data], node).map_err(|fail| fail.message)?;
            if self.ends > 0 && self.ends <= self.inside {
                self.ends -= 1;
                self.last_end = Some(at);
                break;
            }
            if self.begins > 0 {
                self.begins -= 1;
                self.round(found, at + 1, &mut all)?;
                if let Some(end) = self.last_end.filter(|end| *end > at) {
                    at = end;
                }
            } else {
                all.push(found);
            }
            at += 1;
        }
        Ok(all)
    }

    fn round(
        &mut self,
        over: Vec<Item<'a>>,
        first: usize,
        all: &mut Vec<Vec<Item<'a>>>,
    ) -> Result<(), String> {
        if self.inside >= DEEPEST_RANGE {
            return Err("too many ranges within ranges".to_owned());
        }
        self.inside += 1;
        if over.is_empty() {
            // Its end has to be found all the same.
            self.find(Item::Nothing, first)?;
        }
        for item in over {
            all.extend(self.find(item, first)?);
        }
        self.inside -= 1;
        Ok(())
    }

    fn node(&mut self, input: Vec<Item<'a>>, node: &'a Node) -> Found<'a> {
        let of_each = |item: Item<'a>| Ok(vec![item; input.len()]);
        match node {
            Node::List(nodes) => self.list(input, nodes),
            Node::Text(text) => Ok(vec![Item::Text(text)]),
            Node::Int(number) => of_each(Item::Int(*number)),
            Node::Float(number) => of_each(Item::Float(*number)),
            Node::Bool(yes) => of_each(Item::Bool(*yes)),
            Node::Field(name) => self.field(&input, name),
            Node::Array(bounds) => array(input, *bounds),
            Node::Wildcard => Ok(input.into_iter().flat_map(Item::children).collect()),
            Node::Recursive => {
                let mut found = Vec::new();
                input.into_iter().for_each(|item| descend(item, &mut found));
                Ok(found)
            }
            Node::Union(lists) => self.union(input, lists),
            Node::Filter(filter) => self.filter(input, filter),
            Node::Identifier(word) => self.identifier(input, word),
        }
    }

    fn list(&mut self, input: Vec<Item<'a>>, nodes: &'a [Node]) -> Found<'a> {
        nodes
            .iter()
            .try_fold(input, |found, node| self.node(found, node))
    }

    fn identifier(&mut self, input: Vec<Item<'a>>, word: &str) -> Found<'a> {
        match word {
            "range" => {
                self.begins += 1;
                Ok(input)
            }
            "end" if self.inside > 0 => {
                self.ends += 1;
                Ok(Vec::new())
            }
            "end" => fail(Vec::new(), "not in range, nothing to end"),
            _ => fail(input, format!("unrecognized identifier {word}")),
        }
    }

    fn field(&self, input: &[Item<'a>], name: &str) -> Found<'a> {
        let found: Vec<_> = input
            .iter()
            .filter_map(|item| match item {
                Item::Json(serde_json::Value::Object(map)) => map.get(name).map(Item::Json),
                _ => None,
            })
            .collect();
        if found.is_empty() && !input.is_empty() && !self.allow_missing_keys {
            return fail(found, format!("{name} is not found"));
        }
        Ok(found)
    }

    fn union(&mut self, input: Vec<Item<'a>>, lists: &'a [Vec<Node>]) -> Found<'a> {
        let mut found = Vec::new();
        for nodes in lists {
            match self.list(input.clone(), nodes) {
                Ok(more) => found.extend(more),
                Err(Fail { message, .. }) => return fail(input, message),
            }
        }
        Ok(found)
    }

    fn filter(&mut self, input: Vec<Item<'a>>, filter: &'a Filter) -> Found<'a> {
        let mut passed = Vec::new();
        for item in &input {
            let Some(list) = item.list() else {
                let message = format!(
                    "{} is not array or slice and cannot be filtered",
                    item.plain()
                );
                return fail(input, message);
            };
            for value in list.iter().map(Item::Json) {
                match self.passes(value, filter) {
                    Ok(true) => passed.push(value),
                    Ok(false) => {}
                    Err(Refused::Comparison(message)) => return fail(passed, message),
                    Err(Refused::Operand(message)) => return fail(input, message),
                }
            }
        }
        Ok(passed)
    }

    fn passes(&mut self, value: Item<'a>, filter: &'a Filter) -> Result<bool, Refused> {
        let left = self.list(vec![value], &filter.left);
        if filter.operator == "exists" {
            return Ok(!left.unwrap_or_else(|fail| fail.found).is_empty());
        }
        let Some(left) = operand(left)? else {
            return Ok(false);
        };
        let right = self.list(vec![value], &filter.right);
        let Some(right) = operand(right)? else {
            return Ok(false);
        };
        compare::holds(&filter.operator, left, right).map_err(Refused::Comparison)
    }
}

/// Why a filter comes to no result.
enum Refused {
    Operand(String),
    Comparison(String),
}

fn operand<'a>(found: Found<'a>) -> Result<Option<Item<'a>>, Refused> {
    match found
        .map_err(|fail| Refused::Operand(fail.message))?
        .as_slice()
    {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Refused::Operand(
            "can only compare one element at a time".to_owned(),
        )),
    }
}

fn fail<'a>(found: Vec<Item<'a>>, message: impl Into<String>) -> Found<'a> {
    Err(Fail {
        found,
        message: message.into(),
    })
}

/// All that is not empty within an item, itself first; each byte of text is something in it.
fn descend<'a>(item: Item<'a>, found: &mut Vec<Item<'a>>) {
    let children = item.children();
    if !children.is_empty() {
        found.push(item);
        children.into_iter().for_each(|child| descend(child, found));
    }
}

fn array<'a>(input: Vec<Item<'a>>, bounds: [Bound; 3]) -> Found<'a> {
    let mut found = Vec::new();
    for item in &input {
        if item.is_null() {
            continue;
        }
        let Some(list) = item.list() else {
            let message = format!("{} is not array or slice", item.type_name());
            return fail(input, message);
        };
        match slice(list.len(), bounds) {
            Ok(None) => return Ok(found),
            Ok(Some((from, to, step))) => {
                let chosen = list.get(from..to).unwrap_or_default();
                found.extend(chosen.iter().step_by(step).map(Item::Json));
            }
            Err(message) => return fail(input, message),
        }
    }
    Ok(found)
}

/// Which items of so many: from, to and step; none if nothing at all was asked for.
fn slice(
    length: usize,
    [from, to, step]: [Bound; 3],
) -> Result<Option<(usize, usize, usize)>, String> {
    let count = i64::try_from(length).unwrap_or(i64::MAX);
    let mut begin = if from.known { from.value } else { 0 };
    if begin < 0 {
        begin = begin.saturating_add(count);
    }
    let mut end = if to.known { to.value } else { count };
    if end < 0 || (end == 0 && to.derived) {
        end = end.saturating_add(count);
    }
    if begin == end {
        return Ok(None);
    }
    let outside = |index: i64| {
        Err(format!(
            "array index out of bounds: index {index}, length {count}"
        ))
    };
    if begin >= count || begin < 0 {
        return outside(begin);
    }
    if end > count || end < 0 {
        return outside(end.saturating_sub(1));
    }
    if begin > end {
        return Err(format!(
            "starting index {begin} is greater than ending index {end}"
        ));
    }
    let step = if step.known { step.value } else { 1 };
    match (
        usize::try_from(begin),
        usize::try_from(end),
        usize::try_from(step),
    ) {
        (Ok(begin), Ok(end), Ok(step)) if step > 0 => Ok(Some((begin, end, step))),
        _ => Err("step must be > 0".to_owned()),
    }
}
