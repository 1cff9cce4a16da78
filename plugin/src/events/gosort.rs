//! Go's `sort.Sort` (pattern-defeating quicksort), so that events of one time come in kubectl's order.
//!
//! It is not stable, and yet always the same: what it makes of equal elements follows from their order before. A port
//! of `sort/zsortinterface.go` of Go 1.26 for whatever can be compared.

/// What is being sorted.
struct Data<'a, T, L> {
    items: &'a mut [T],
    less: L,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

/// Sorts as Go does.
pub(super) fn sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let length = items.len();
    let mut data = Data { items, less };
    data.quick(0, length, bits(length));
}

/// Go's `bits.Len`.
fn bits(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}

impl<T, L: Fn(&T, &T) -> bool> Data<'_, T, L> {
    fn less(&self, one: usize, other: usize) -> bool {
        match (self.items.get(one), self.items.get(other)) {
            (Some(one), Some(other)) => (self.less)(one, other),
            _ => false,
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.items.swap(one, other);
    }

    fn insertion(&mut self, a: usize, b: usize) {
        for i in a + 1..b {
            let mut j = i;
            while j > a && self.less(j, j - 1) {
                self.swap(j, j - 1);
                j -= 1;
            }
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
            self.swap(first + root, first + child);
            root = child;
        }
    }

    fn heap(&mut self, a: usize, b: usize) {
        let high = b - a;
        for i in (0..=(high - 1) / 2).rev() {
            self.sift_down(i, high, a);
        }
        for i in (0..high).rev() {
            self.swap(a, a + i);
            self.sift_down(0, i, a);
        }
    }

    fn quick(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let (mut was_balanced, mut was_partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= 12 {
                return self.insertion(a, b);
            }
            if limit == 0 {
                return self.heap(a, b);
            }
            if !was_balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.items[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            let sorted = was_balanced && was_partitioned && hint == Hint::Increasing;
            if sorted && self.partial_insertion(a, b) {
                return;
            }
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            was_partitioned = already;
            let (left, right) = (middle - a, b - middle);
            if left < right {
                was_balanced = left >= length / 8;
                self.quick(a, middle, limit);
                a = middle + 1;
            } else {
                was_balanced = right >= length / 8;
                self.quick(middle + 1, b, limit);
                b = middle;
            }
        }
    }

    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        self.close_in(a, &mut i, &mut j);
        if i > j {
            self.swap(j, a);
            return (j, true);
        }
        self.swap(i, j);
        (i, j) = (i + 1, j - 1);
        loop {
            self.close_in(a, &mut i, &mut j);
            if i > j {
                break;
            }
            self.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
        self.swap(j, a);
        (j, false)
    }

    fn close_in(&self, a: usize, i: &mut usize, j: &mut usize) {
        while i <= j && self.less(*i, a) {
            *i += 1;
        }
        while i <= j && !self.less(*j, a) {
            *j -= 1;
        }
    }

    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.swap(a, pivot);
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
            self.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
    }

    fn partial_insertion(&mut self, a: usize, b: usize) -> bool {
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
            self.swap(i, i - 1);
            if i - a >= 2 {
                for j in (1..i).rev() {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.swap(j, j - 1);
                }
            }
            if b - i >= 2 {
                for j in i + 1..b {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.swap(j, j - 1);
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
        let modulus = 1_u64 << bits(length);
        let middle = a + (length / 4) * 2;
        for index in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let other = usize::try_from(random & (modulus - 1)).unwrap_or_default();
            let other = if other >= length {
                other - length
            } else {
                other
            };
            self.swap(index, a + other);
        }
    }

    fn choose_pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        let length = b - a;
        let mut swaps = 0;
        let [mut i, mut j, mut k] = [1, 2, 3].map(|quarter| a + length / 4 * quarter);
        if length >= 8 {
            if length >= 50 {
                i = self.median([i - 1, i, i + 1], &mut swaps);
                j = self.median([j - 1, j, j + 1], &mut swaps);
                k = self.median([k - 1, k, k + 1], &mut swaps);
            }
            j = self.median([i, j, k], &mut swaps);
        }
        match swaps {
            0 => (j, Hint::Increasing),
            12 => (j, Hint::Decreasing),
            _ => (j, Hint::Unknown),
        }
    }

    fn median(&self, [a, b, c]: [usize; 3], swaps: &mut u32) -> usize {
        let (a, b) = self.ordered(a, b, swaps);
        let (b, _) = self.ordered(b, c, swaps);
        let (_, b) = self.ordered(a, b, swaps);
        b
    }

    fn ordered(&self, a: usize, b: usize, swaps: &mut u32) -> (usize, usize) {
        if self.less(b, a) {
            *swaps += 1;
            (b, a)
        } else {
            (a, b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_whatever_it_is_given(numbers in prop::collection::vec(0_u8..40, 0..300)) {
            let mut sorted = numbers.clone();
            sort(&mut sorted, |one, other| one < other);
            let mut want = numbers;
            want.sort_unstable();
            prop_assert_eq!(sorted, want);
        }
    }

    /// As `sort.Sort` of Go 1.26 leaves (key, number) pairs that are compared by their keys.
    #[test]
    fn equal_elements_come_in_go_s_order() {
        for (length, want) in GO {
            let mut items: Vec<_> = (0..*length).map(|i| (i * 7 % 5, i)).collect();
            sort(&mut items, |one, other| one.0 < other.0);
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
