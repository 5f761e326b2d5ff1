//! What a listing has to be. A provider's listing in another order, or beside the question, is
//! refused: to whoever compares it with what should be there, it would look like lost objects.

use super::BucketError;

/// Most keys that one request asks for; the most that S3 and GCS give.
pub const PAGE_KEYS_MAX: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    pub size: u64,
    /// Without quotes.
    pub etag: Option<String>,
}

/// Checks that `page` answers a question for the keys that begin with `prefix` and come after `after`.
pub fn check(prefix: &str, after: Option<&str>, page: &[ListedObject]) -> Result<(), BucketError> {
    let refused = |why: &str| Err(BucketError::Unexpected(why.to_owned()));
    let mut last = after;
    for object in page {
        if !object.key.starts_with(prefix) {
            return refused("keys that were not asked for");
        }
        if last.is_some_and(|last| object.key.as_str() <= last) {
            return refused("keys out of their bytes' order");
        }
        last = Some(&object.key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_passes() {
        let page = |keys: &[&str]| -> Vec<ListedObject> {
            let object = |key: &&str| ListedObject { key: (*key).to_owned(), size: 0, etag: None };
            keys.iter().map(object).collect()
        };
        assert!(check("", None, &page(&["", "a", "a/b", "b"])).is_ok());
        assert!(check("a", Some("a"), &page(&["a/", "a0", "a\u{e9}", "a\u{1F600}"])).is_ok());
        for (prefix, after, keys) in [
            ("", None, ["b", "a"]),
            ("", None, ["a", "a"]),
            ("", Some("a"), ["a", "b"]),
            ("a", None, ["a", "b"]),
        ] {
            assert!(check(prefix, after, &page(&keys)).is_err(), "{prefix} {after:?} {keys:?}");
        }
    }
}
