//! How wide the columns of a table are.

/// Between two columns.
pub(super) const GAP: u16 = 2;

/// What a column wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// For its widest cell and its head.
    pub(super) width: u16,
    /// It is cut to no less than this while others can be cut.
    pub(super) least: u16,
    /// It says which object a line is of.
    pub(super) names: bool,
}

/// The widths of as many columns as fit into so many. The widest are cut first, all to one width; those that have no
/// place even then are left out, the last first.
pub(super) fn fit(wanted: &[Wanted], room: u16) -> Vec<u16> {
    let gaps =
        |many: usize| u32::from(GAP) * u32::try_from(many.saturating_sub(1)).unwrap_or(u32::MAX);
    let needs = |columns: &[Wanted], most: u16| {
        let widths = columns
            .iter()
            .map(|it| u32::from(it.width.min(most.max(it.least))));
        widths.sum::<u32>() + gaps(columns.len())
    };
    let mut many = wanted.len();
    while many > 1 && needs(&wanted[..many], 0) > u32::from(room) {
        many -= 1;
    }
    let columns = &wanted[..many];
    // The greatest width that lets all of them in.
    let (mut low, mut high) = (
        0_u16,
        columns.iter().map(|it| it.width).max().unwrap_or_default(),
    );
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if needs(columns, middle) <= u32::from(room) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let widths = columns
        .iter()
        .map(|it| it.width.min(low.max(it.least)).min(room));
    widths.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn widths(columns: &[(u16, u16)], room: u16) -> Vec<u16> {
        let wanted: Vec<_> = columns
            .iter()
            .map(|(width, least)| Wanted {
                width: *width,
                least: *least,
                names: false,
            })
            .collect();
        fit(&wanted, room)
    }

    #[test]
    fn the_widest_are_cut_first_and_the_last_left_out() {
        assert_eq!(widths(&[(10, 6), (20, 6), (5, 5)], 50), [10, 20, 5]);
        assert_eq!(widths(&[(10, 6), (30, 6), (5, 5)], 40), [10, 21, 5]);
        assert_eq!(widths(&[(10, 6), (30, 6), (5, 5)], 21), [6, 6, 5]);
        assert_eq!(widths(&[(10, 6), (30, 6), (5, 5)], 20), [9, 9]);
        assert_eq!(widths(&[(10, 6)], 3), [3]);
        assert_eq!(widths(&[], 3), [0_u16; 0]);
    }

    proptest! {
        #[test]
        fn they_always_fit(columns in prop::collection::vec((0..60_u16, 0..12_u16), 1..12), room in 0..200_u16) {
            let columns: Vec<_> = columns.into_iter().map(|(width, least)| (width, least.min(width))).collect();
            let widths = widths(&columns, room);
            let sum: u32 = widths.iter().map(|it| u32::from(*it)).sum();
            let gaps = u32::from(GAP) * (u32::try_from(widths.len()).unwrap() - 1);
            prop_assert!(!widths.is_empty() && sum + gaps <= u32::from(room).max(gaps));
        }
    }
}
