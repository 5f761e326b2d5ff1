//! How often a token may ask, through whatever door it comes. Counts in this process only.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota};

use crate::model::access::Caller;
use crate::model::id::TokenId;

pub struct Rates(DefaultKeyedRateLimiter<TokenId>);

impl Rates {
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(DefaultKeyedRateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst)))
    }

    /// Whether one more request is not one too many.
    pub fn admits(&self, caller: &Caller) -> bool {
        self.0.check_key(&caller.token).is_ok()
    }

    /// Forgets tokens that have not been seen for a while.
    pub fn sweep(&self) {
        self.0.retain_recent();
    }
}
