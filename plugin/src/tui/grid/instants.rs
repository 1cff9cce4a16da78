//! Cells that are an instant and nothing else, as ages are: by column, of all lines in one piece of memory.

/// No instant.
const NONE: i64 = i64::MIN;

/// Instants in ms since 1970, by the union's columns and the numbers of lines.
#[derive(Debug, Default)]
pub(super) struct Instants {
    columns: Vec<Vec<i64>>,
}

impl Instants {
    /// The instant that a line's cell is, if it is one.
    pub(super) fn of(&self, column: usize, number: u32) -> Option<i64> {
        let at = *self.columns.get(column)?.get(number as usize)?;
        (at != NONE).then_some(at)
    }

    /// Gives a line others.
    pub(super) fn set(&mut self, number: u32, instants: &[Option<i64>]) {
        if self.columns.len() < instants.len() {
            self.columns.resize(instants.len(), Vec::new());
        }
        let number = number as usize;
        for (at, column) in self.columns.iter_mut().enumerate() {
            let instant = instants.get(at).copied().flatten();
            let instant = instant.map_or(NONE, |at| at.max(NONE + 1));
            // Most columns have none, and take no room.
            if instant != NONE && column.len() <= number {
                column.resize(number + 1, NONE);
            }
            if let Some(place) = column.get_mut(number) {
                *place = instant;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_instants_that_it_was_given_last() {
        let mut instants = Instants::default();
        instants.set(2, &[None, Some(7)]);
        assert_eq!((instants.of(1, 2), instants.of(0, 2)), (Some(7), None));
        assert_eq!(
            (instants.of(1, 1), instants.of(1, 3), instants.of(2, 2)),
            (None, None, None)
        );
        instants.set(2, &[Some(i64::MIN)]);
        assert_eq!(
            (instants.of(0, 2), instants.of(1, 2)),
            (Some(i64::MIN + 1), None)
        );
        assert!(instants.columns[0].len() == 3, "as long as it has to be");
    }
}
