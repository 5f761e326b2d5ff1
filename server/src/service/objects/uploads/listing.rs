//! Lists open uploads, and the parts of one.

use std::time::Instant;

use super::find;
use crate::model::access::Role;
use crate::model::id::UploadId;
use crate::model::upload::{LIST_UPLOADS_MAX, Part, Upload};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::service::objects::layout::Space;
use crate::service::objects::listing::successor;
use crate::service::objects::{Account, Result, Session};
use crate::store::upload_parts;
use crate::store::uploads::{self, After, Span};

/// Rows that are read at once where most of them may be passed over.
const STEP: usize = 256;

#[derive(Clone, Debug, Default)]
pub struct ListUploads {
    pub prefix: String,
    /// What ends the common part of keys that are listed as one.
    pub delimiter: Option<String>,
    pub after: Option<UploadMarker>,
    pub limit: usize,
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadMarker {
    /// A key, or a common prefix.
    pub key: String,
    /// The last upload of that key; without it, all of them have been listed.
    pub upload: Option<UploadId>,
}

#[derive(Clone, Debug, Default)]
pub struct UploadListing {
    pub uploads: Vec<Upload>,
    pub prefixes: Vec<String>,
    /// What to list after, if there is more.
    pub next: Option<UploadMarker>,
}

#[derive(Clone, Copy, Debug)]
pub struct ListParts {
    /// The last number of the page before.
    pub after: u32,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct PartListing {
    pub upload: Upload,
    pub parts: Vec<Part>,
    /// What to list after, if there is more.
    pub next: Option<u32>,
}

pub async fn list_uploads(
    services: &Services,
    session: &Session,
    space: &Space,
    request: &ListUploads,
) -> Result<UploadListing> {
    session.require(Role::Read)?;
    let begun = Instant::now();
    let done = page(services, space, request).await;
    Account::of(services, session).request(begun, done, Counted::default())
}

pub async fn list_parts(
    services: &Services,
    session: &Session,
    space: &Space,
    (key, id): (&str, UploadId),
    request: ListParts,
) -> Result<PartListing> {
    session.require(Role::Read)?;
    let begun = Instant::now();
    let asked = async {
        let upload = find(services, space, key, id).await?;
        let limit = request.limit.min(LIST_UPLOADS_MAX);
        let rows = upload_parts::list(services.store.read(), id, request.after, limit + 1).await?;
        let more = rows.len() > limit;
        let parts: Vec<_> = rows.into_iter().take(limit).map(|(part, _)| part).collect();
        let next = parts.last().filter(|_| more).map(|part| part.number);
        Ok(PartListing { upload, parts, next })
    };
    Account::of(services, session).request(begun, asked.await, Counted::default())
}

async fn page(services: &Services, space: &Space, request: &ListUploads) -> Result<UploadListing> {
    let marker = request.after.as_ref().map(|after| &after.key);
    let texts = [Some(&request.prefix), request.delimiter.as_ref(), marker];
    // PostgreSQL knows no text with a NUL in it, and no key has one.
    let odd = texts.into_iter().flatten().any(|text| text.contains('\0'));
    if request.limit == 0 || odd {
        return Ok(UploadListing::default());
    }
    let mut lister = Lister::new(request);
    let until = successor(&request.prefix);
    loop {
        if until.as_ref().is_some_and(|until| lister.from >= *until) {
            return Ok(lister.found);
        }
        let left = lister.limit - lister.count() + 1;
        let limit = if lister.delimiter.is_some() { left.min(STEP) } else { left };
        let (from, after) = (lister.from.as_str(), lister.after);
        let span = Span { from, after, until: until.as_deref(), limit };
        let rows = uploads::list(services.store.read(), space.id, &span).await?;
        let whole = rows.len() < limit;
        if rows.into_iter().any(|upload| !lister.take(upload)) {
            lister.found.next = lister.last;
            return Ok(lister.found);
        }
        if whole {
            return Ok(lister.found);
        }
    }
}

struct Lister<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    limit: usize,
    /// Where to read on.
    from: String,
    after: After,
    found: UploadListing,
    last: Option<UploadMarker>,
}

impl<'a> Lister<'a> {
    fn new(request: &'a ListUploads) -> Self {
        let prefix = request.prefix.as_str();
        let mut lister = Self {
            prefix,
            delimiter: request.delimiter.as_deref().filter(|text| !text.is_empty()),
            limit: request.limit.min(LIST_UPLOADS_MAX),
            from: prefix.to_owned(),
            after: After::Nothing,
            found: UploadListing::default(),
            last: None,
        };
        if let Some(marker) = request.after.as_ref().filter(|after| after.key.as_str() >= prefix) {
            match lister.common(&marker.key).filter(|common| *common == marker.key) {
                // All that begins so has been listed as one.
                Some(common) => lister.pass(&common),
                None => {
                    lister.from.clone_from(&marker.key);
                    lister.after = marker.upload.map_or(After::Key, After::Upload);
                }
            }
        }
        lister
    }

    fn count(&self) -> usize {
        self.found.uploads.len() + self.found.prefixes.len()
    }

    /// Puts an upload on the page; false if that is full.
    fn take(&mut self, upload: Upload) -> bool {
        let common = self.common(&upload.key);
        if common.is_some() && common.as_ref() == self.found.prefixes.last() {
            // Listed as one with others already.
            return true;
        }
        if self.count() == self.limit {
            return false;
        }
        match common {
            Some(common) => {
                self.pass(&common);
                self.last = Some(UploadMarker { key: common.clone(), upload: None });
                self.found.prefixes.push(common);
            }
            None => {
                self.from.clone_from(&upload.key);
                self.after = After::Upload(upload.id);
                let key = upload.key.clone();
                self.last = Some(UploadMarker { key, upload: Some(upload.id) });
                self.found.uploads.push(upload);
            }
        }
        true
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
            Some(next) => (self.from, self.after) = (next, After::Nothing),
            // Nothing comes behind; nothing has this as its key either.
            None => (self.from, self.after) = (format!("{common}{}", char::MAX), After::Key),
        }
    }
}
