//! Lists objects from the catalog: what was acknowledged is in the very next list, whatever a cloud
//! says.

use std::sync::Arc;

use super::layout::Space;
use super::{Account, Result, Session, recovering};
use crate::model::access::Role;
use crate::model::object::{LIST_KEYS_MAX, Object};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::objects::{self, Span};

/// Rows that are read at once where most of them may be passed over.
const STEP: usize = 256;

#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    pub prefix: String,
    /// What ends the common part of keys that are listed as one.
    pub delimiter: Option<String>,
    /// The last key, or common prefix, of the page before.
    pub after: Option<String>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub objects: Vec<Object>,
    pub prefixes: Vec<String>,
    /// What to list after, if there is more.
    pub next: Option<String>,
}

pub async fn list(
    services: &Services,
    session: &Session,
    space: &Arc<Space>,
    request: &ListRequest,
) -> Result<Listing> {
    session.require(Role::Read)?;
    let begun = std::time::Instant::now();
    let done = page(services, space, request).await;
    Account::of(services, session).request(begun, done, Counted::default())
}

async fn page(services: &Services, space: &Arc<Space>, request: &ListRequest) -> Result<Listing> {
    // A list that leaves out what is not known yet would look like a list of what there is.
    space.until_imported(services).await?;
    let limit = request.limit.min(LIST_KEYS_MAX);
    let texts = [Some(&request.prefix), request.delimiter.as_ref(), request.after.as_ref()];
    // PostgreSQL knows no text with a NUL in it, and no key has one.
    let odd = texts.into_iter().flatten().any(|text| text.contains('\0'));
    if limit == 0 || odd {
        return Ok(Listing::default());
    }
    Lister::new(services, space, request, limit).run().await
}

struct Lister<'a> {
    services: &'a Services,
    space: &'a Space,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    limit: usize,
    /// Where to read on, and whether from behind it.
    from: String,
    after: bool,
    found: Listing,
    last: Option<String>,
}

impl<'a> Lister<'a> {
    fn new(
        services: &'a Services,
        space: &'a Space,
        request: &'a ListRequest,
        limit: usize,
    ) -> Self {
        let prefix = request.prefix.as_str();
        let delimiter = request.delimiter.as_deref().filter(|text| !text.is_empty());
        let mut lister = Self {
            services,
            space,
            prefix,
            delimiter,
            limit,
            from: prefix.to_owned(),
            after: false,
            found: Listing::default(),
            last: None,
        };
        if let Some(after) = request.after.as_deref().filter(|after| *after >= prefix) {
            match lister.common(after).filter(|common| common == after) {
                // All that begins so has been listed as one.
                Some(common) => lister.pass(&common),
                None => (lister.from, lister.after) = (after.to_owned(), true),
            }
        }
        lister
    }

    async fn run(mut self) -> Result<Listing> {
        let asked = |key: &str| key.starts_with(self.prefix) && *key >= *self.from;
        recovering::settle(self.services, self.space, asked).await?;
        let until = successor(self.prefix);
        loop {
            if until.as_ref().is_some_and(|until| self.from >= *until) {
                return Ok(self.found);
            }
            let left = self.limit - self.count() + 1;
            let limit = if self.delimiter.is_some() { left.min(STEP) } else { left };
            let span = Span {
                from: &self.from,
                after: self.after,
                until: until.as_deref(),
                with_deleted: false,
                limit,
            };
            let rows = objects::list(self.services.store.read(), self.space.id, &span).await?;
            let whole = rows.len() < limit;
            for object in rows {
                if (object.key.as_str(), self.after) < (self.from.as_str(), false)
                    || object.key < self.from
                {
                    // Listed as one with others already.
                    continue;
                }
                if self.count() == self.limit {
                    self.found.next = self.last;
                    return Ok(self.found);
                }
                self.take(object);
            }
            if whole {
                return Ok(self.found);
            }
        }
    }

    fn count(&self) -> usize {
        self.found.objects.len() + self.found.prefixes.len()
    }

    fn take(&mut self, object: Object) {
        match self.common(&object.key) {
            Some(common) => {
                self.pass(&common);
                self.last = Some(common.clone());
                self.found.prefixes.push(common);
            }
            None => {
                (self.from, self.after) = (object.key.clone(), true);
                self.last = Some(object.key.clone());
                self.found.objects.push(object);
            }
        }
    }

    /// What a key has in common with those it is listed as one with.
    fn common(&self, key: &str) -> Option<String> {
        let (delimiter, rest) = (self.delimiter?, key.strip_prefix(self.prefix)?);
        let end = rest.find(delimiter)? + delimiter.len();
        Some(key[..self.prefix.len() + end].to_owned())
    }

    /// Goes on behind all keys that begin with `common`.
    fn pass(&mut self, common: &str) {
        match successor(common) {
            Some(next) => (self.from, self.after) = (next, false),
            // Nothing comes behind; nothing has this as its key either.
            None => (self.from, self.after) = (format!("{common}{}", char::MAX), true),
        }
    }
}

/// The first text, in byte order, that comes behind all that begin with `prefix`.
pub(super) fn successor(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        // The next character; there are none for a while behind the first of these.
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            char::MAX => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_comes_behind_all_that_begin_so_and_before_all_else() {
        for prefix in ["a", "a/", "a\u{7f}", "\u{D7FF}", "é", "a\u{10FFFF}"] {
            let next = successor(prefix).expect("a successor");
            assert!(next.as_str() > format!("{prefix}\u{10FFFF}\u{10FFFF}").as_str(), "{prefix:?}");
            assert!(!next.starts_with(prefix));
        }
        assert_eq!(successor("a").as_deref(), Some("b"));
        assert_eq!(successor(""), None);
        assert_eq!(successor("\u{10FFFF}"), None);
    }
}
