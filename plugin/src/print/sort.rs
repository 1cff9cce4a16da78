//! `--sort-by`: the order that kubectl gives to objects.
//!
//! kubectl's sorter.go, with Go's `sort.Sort`: it is not stable, so that which of two equal ones comes first depends on
//! its algorithm. A port of that (zsortinterface.go) is what makes two outputs equal.

use super::jsonpath::{Item, SyntaxError, Template, relaxed};
use super::quantity::Quantity;
use super::verbs;
use serde_json::Value;
use std::cell::RefCell;

/// A field to sort by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortField {
    template: Template,
}

/// What an object has in the field.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// Nothing: before all others.
    Missing,
    /// null: before all values.
    Null,
    /// A number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Text, and the quantity that it is.
    Text(String, Option<Quantity>),
    /// A value that has no order: its type.
    Other(&'static str),
}

impl SortField {
    /// Reads a path. `strictly`: braces within it are refused, as they are for whole objects; for tables they are a
    /// template.
    ///
    /// # Errors
    /// In kubectl's words, and where the mistake is.
    pub fn parse(path: &str, strictly: bool) -> Result<Self, SyntaxError> {
        let template = match relaxed(path) {
            Err(error) if strictly => return Err(error),
            Err(_) => Template::parse(path),
            Ok(_) => Template::parse_relaxed(path),
        };
        let template = template.map_err(|mut error| {
            if !strictly {
                error.message = format!("sorting error: {}", error.message);
            }
            error
        })?;
        Ok(Self { template })
    }

    /// What an object has there.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn key(&self, object: &Value) -> Result<Key, String> {
        Ok(match self.template.first(object)? {
            None => Key::Missing,
            Some(Item::Json(value)) => Key::of(value),
            Some(item) => Key::of(&item.to_json()),
        })
    }

    /// Sorts by keys that go with what is sorted.
    ///
    /// # Errors
    /// When nothing has the field, or two values have no order; what is sorted is as it was, or in any order.
    pub fn sort<T>(&self, items: &mut [(Key, T)]) -> Result<(), String> {
        if !items.is_empty() && items.iter().all(|(key, _)| *key == Key::Missing) {
            let path = verbs::quoted(self.template.text());
            return Err(format!(
                "couldn't find any field with path {path} in the list of objects"
            ));
        }
        let wrong = RefCell::new(None);
        pdqsort(items, |(one, _), (other, _)| {
            one.less(other).unwrap_or_else(|why| {
                wrong.borrow_mut().get_or_insert(why);
                false
            })
        });
        match wrong.into_inner() {
            Some(why) => Err(format!(
                "Field {} is an unsortable type: {why}",
                self.template.text()
            )),
            None => Ok(()),
        }
    }
}

impl Key {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::Text(text.clone(), Quantity::parse(text)),
            Value::Bool(_) => Self::Other("bool"),
            Value::Array(_) => Self::Other("[]interface {}"),
            Value::Object(_) => Self::Other("map[string]interface {}"),
        }
    }

    /// `isLess`.
    fn less(&self, other: &Self) -> Result<bool, &'static str> {
        Ok(match (self, other) {
            (Self::Missing, _) => true,
            (_, Self::Missing) => false,
            (Self::Null, other) => *other != Self::Null,
            (_, Self::Null) => false,
            (Self::Integer(one), Self::Integer(other)) => one < other,
            (Self::Float(one), Self::Float(other)) => one < other,
            (Self::Text(_, Some(one)), Self::Text(_, Some(other))) => one < other,
            (Self::Text(one, _), Self::Text(other, _)) => one < other,
            (Self::Other(kind), _) => return Err(kind),
            _ => return Err("interface"),
        })
    }
}

/// Go's `sort.Sort`. A comparison that contradicts itself gives some order, and never panics.
fn pdqsort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let limit = usize::BITS - items.len().leading_zeros();
    let (a, b) = (0, items.len());
    Sorter { items, less }.sort(a, b, limit);
}

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

#[derive(PartialEq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, i: usize, j: usize) -> bool {
        match (self.items.get(i), self.items.get(j)) {
            (Some(one), Some(other)) => (self.less)(one, other),
            _ => false,
        }
    }

    fn sort(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= 12 {
                return self.insertion_sort(a, b);
            }
            if limit == 0 {
                return self.heap_sort(a, b);
            }
            if !balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.items[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if balanced
                && partitioned
                && hint == Hint::Increasing
                && self.partial_insertion_sort(a, b)
            {
                return;
            }
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            partitioned = already;
            let (left, right) = (middle - a, b - middle);
            if left < right {
                balanced = left >= length / 8;
                self.sort(a, middle, limit);
                a = middle + 1;
            } else {
                balanced = right >= length / 8;
                self.sort(middle + 1, b, limit);
                b = middle;
            }
        }
    }

    fn insertion_sort(&mut self, a: usize, b: usize) {
        for i in a + 1..b {
            let mut j = i;
            while j > a && self.less(j, j - 1) {
                self.items.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn heap_sort(&mut self, a: usize, b: usize) {
        let length = b - a;
        for i in (0..=(length - 1) / 2).rev() {
            self.sift_down(i, length, a);
        }
        for i in (0..length).rev() {
            self.items.swap(a, a + i);
            self.sift_down(0, i, a);
        }
    }

    fn sift_down(&mut self, low: usize, high: usize, first: usize) {
        let mut root = low;
        loop {
            let mut child = 2 * root + 1;
            if child >= high {
                return;
            }
            if child + 1 < high && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.items.swap(first + root, first + child);
            root = child;
        }
    }

    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, a) {
                i += 1;
            }
            while i <= j && !self.less(j, a) {
                j -= 1;
            }
            if i > j {
                self.items.swap(j, a);
                return (j, already);
            }
            self.items.swap(i, j);
            already = false;
            i += 1;
            j -= 1;
        }
    }

    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.items.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.less(a, i) {
                i += 1;
            }
            while i <= j && self.less(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    fn partial_insertion_sort(&mut self, a: usize, b: usize) -> bool {
        let mut i = a + 1;
        for _ in 0..5 {
            while i < b && !self.less(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < 50 {
                return false;
            }
            self.items.swap(i, i - 1);
            if i - a >= 2 {
                for j in (1..i).rev() {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.items.swap(j, j - 1);
                }
            }
            if b - i >= 2 {
                for j in i + 1..b {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.items.swap(j, j - 1);
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, a: usize, b: usize) {
        let length = b - a;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let modulus = 1_u64 << (u64::BITS - random.leading_zeros());
        let middle = a + length / 4 * 2;
        for index in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random & (modulus - 1)) as usize;
            if other >= length {
                other -= length;
            }
            self.items.swap(index, a + other);
        }
    }

    fn choose_pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        let length = b - a;
        let mut swaps = 0;
        let quarter = length / 4;
        let (mut i, mut j, mut k) = (a + quarter, a + quarter * 2, a + quarter * 3);
        if length >= 50 {
            for at in [&mut i, &mut j, &mut k] {
                *at = self.median(*at - 1, *at, *at + 1, &mut swaps);
            }
        }
        j = self.median(i, j, k, &mut swaps);
        match swaps {
            0 => (j, Hint::Increasing),
            12 => (j, Hint::Decreasing),
            _ => (j, Hint::Unknown),
        }
    }

    fn median(&self, mut a: usize, mut b: usize, mut c: usize, swaps: &mut usize) -> usize {
        let mut order = |x: &mut usize, y: &mut usize| {
            if self.less(*y, *x) {
                *swaps += 1;
                std::mem::swap(x, y);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// What Go's `sort.Sort` makes of numbers that are compared by their tens; made by tests/golden/generate.
    const GOLDEN: &str = include_str!("../../tests/golden/sorted.jsonl");

    #[test]
    fn as_go_sorts() {
        let cases = GOLDEN
            .lines()
            .map(|line| serde_json::from_str::<Vec<Vec<u32>>>(line).unwrap());
        let mut count = 0;
        for case in cases {
            let mut items = case[0].clone();
            pdqsort(&mut items, |one, other| one / 10 < other / 10);
            assert_eq!(items, case[1], "{} items", items.len());
            count += 1;
        }
        assert!(count > 50);
    }

    fn sorted(path: &str, objects: Value) -> Result<String, String> {
        let field = SortField::parse(path, false).map_err(|error| error.message)?;
        let objects = objects.as_array().unwrap();
        let mut items: Vec<_> = objects
            .iter()
            .map(|object| (field.key(object).unwrap(), object["n"].to_string()))
            .collect();
        field.sort(&mut items)?;
        Ok(items.into_iter().map(|(_, name)| name).collect())
    }

    #[test]
    fn fields_in_kubectl_s_order() {
        let objects = json!([{"n": 1, "a": "10"}, {"n": 2, "a": "9"}, {"n": 3}, {"n": 4, "a": null}, {"n": 5, "a": "1Ki"}]);
        assert_eq!(sorted(".a", objects.clone()), Ok("34215".to_owned()));
        assert_eq!(sorted("n", objects.clone()), Ok("12345".to_owned()));
        assert_eq!(sorted("{.n}", objects.clone()), Ok("12345".to_owned()));
        assert_eq!(
            sorted("none", objects.clone()),
            Err("couldn't find any field with path \"{.none}\" in the list of objects".to_owned())
        );
        assert_eq!(
            sorted("{.a", objects),
            Err("sorting error: unclosed action".to_owned())
        );
        assert_eq!(
            sorted("a", json!([{"a": true}, {"a": true}])),
            Err("Field {.a} is an unsortable type: bool".to_owned())
        );
        assert_eq!(
            sorted("a", json!([{"a": 1}, {"a": "x"}])),
            Err("Field {.a} is an unsortable type: interface".to_owned())
        );
    }

    proptest! {
        #[test]
        fn everything_is_kept_and_in_order(mut items in prop::collection::vec(0..50_u32, 0..300)) {
            let mut want = items.clone();
            want.sort_unstable();
            pdqsort(&mut items, |one, other| one < other);
            prop_assert_eq!(items, want);
        }

        #[test]
        fn contradictions_do_not_panic(mut items in prop::collection::vec(any::<u8>(), 0..200)) {
            pdqsort(&mut items, |one, other| one.wrapping_mul(*other) % 3 != 0);
        }
    }
}
