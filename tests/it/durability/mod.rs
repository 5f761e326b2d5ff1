//! What was answered stays, whatever happens to the process, its cache, or its neighbours.

mod broken_cache;
pub mod compaction;
mod crash;
mod evicted_caches;
mod object_store;
pub mod process;
mod queue;
mod two_servers;

/// Pseudo-random numbers that are the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Text that does not compress well.
    pub fn text(&mut self, length: usize) -> String {
        let letter = |numbers: &mut Self| char::from(b'0' + numbers.below(64) as u8);
        (0..length).map(|_| letter(self)).collect()
    }
}
