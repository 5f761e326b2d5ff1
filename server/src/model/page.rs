//! Pages of a list, by start index.

/// Most rows of one page, and the default.
pub const PAGE_SIZE_MAX: i64 = 100;

#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    pub start: i64,
    pub size: i64,
}

impl PageRequest {
    /// Where the page after this one starts, when there is one.
    pub fn next(self, total: i64) -> Option<i64> {
        let end = self.start.saturating_add(self.size);
        (end < total).then_some(end)
    }
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Rows that match, on all pages together.
    pub total: i64,
    /// Start index of the next page, when there is one.
    pub next: Option<i64>,
}
