//! Go's `sort.Sort` (pattern-defeating quicksort), so that what is equal comes in kubectl's order.
//!
//! It is not stable, and yet always the same: what it makes of equal elements follows from their order before. A port
//! of `sort/zsortinterface.go` of Go 1.26.

/// Go's `sort.Sort`. A comparison that contradicts itself gives some order, and never panics.
pub fn sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
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
            sort(&mut items, |one, other| one / 10 < other / 10);
            assert_eq!(items, case[1], "{} items", items.len());
            count += 1;
        }
        assert!(count > 50);
    }

    proptest! {
        #[test]
        fn everything_is_kept_and_in_order(mut items in prop::collection::vec(0..50_u32, 0..300)) {
            let mut want = items.clone();
            want.sort_unstable();
            sort(&mut items, |one, other| one < other);
            prop_assert_eq!(items, want);
        }

        #[test]
        fn contradictions_do_not_panic(mut items in prop::collection::vec(any::<u8>(), 0..200)) {
            sort(&mut items, |one, other| one.wrapping_mul(*other) % 3 != 0);
        }
    }

    /// As `sort.Sort` of Go 1.26 leaves (key, number) pairs that are compared by their keys.
    #[test]
    fn equal_elements_come_in_go_s_order() {
        for (length, want) in GO {
            let mut items: Vec<_> = (0..*length).map(|i| (i * 7 % 5, i)).collect();
            sort(&mut items, |one: &(u32, u32), other: &(u32, u32)| {
                one.0 < other.0
            });
            let order: Vec<_> = items.iter().map(|(_, number)| *number).collect();
            assert_eq!(order, *want, "{length}");
        }
    }

    const GO: &[(u32, &[u32])] = &[
        (12, &[0, 5, 10, 3, 8, 1, 6, 11, 4, 9, 2, 7]),
        (13, &[5, 10, 0, 8, 3, 6, 1, 11, 4, 9, 7, 2, 12]),
        (
            29,
            &[
                20, 5, 15, 25, 10, 0, 13, 28, 3, 18, 8, 23, 26, 21, 11, 6, 16, 1, 14, 19, 9, 24, 4,
                17, 12, 22, 7, 27, 2,
            ],
        ),
        (
            64,
            &[
                45, 35, 60, 25, 30, 5, 55, 20, 40, 50, 10, 15, 0, 58, 18, 48, 8, 38, 53, 43, 63,
                33, 13, 23, 28, 3, 31, 16, 26, 1, 61, 56, 6, 21, 51, 11, 36, 46, 41, 54, 34, 29,
                24, 14, 44, 59, 39, 4, 19, 49, 9, 37, 52, 7, 27, 32, 22, 57, 47, 12, 2, 42, 62, 17,
            ],
        ),
    ];
}
