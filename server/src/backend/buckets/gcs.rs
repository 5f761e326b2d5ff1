//! Buckets of Google Cloud Storage, opened by a service account's key, in Google's own JSON. The key
//! itself is never sent: what goes out is a token that it was exchanged for.

mod account;
mod objects;
mod parts;
mod resource;

use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request, StatusCode};
use secrecy::ExposeSecret;
use url::Url;

use super::dial::{Answer, Line};
use super::listing::{self, ListedObject, PAGE_KEYS_MAX};
use super::{BucketDriver, BucketError, Target, is_plain};
use crate::backend::egress::Egress;
use crate::model::bucket::{CLOUD_NAME_BYTES_MAX, StorageType};
use account::{Account, AccountKey};
use resource::{Page, Resource};

const ENDPOINT: &str = "https://storage.googleapis.com";
/// What is read of a list: all of it would not fit into an answer.
const LISTED_FIELDS: &str = "items(name,size,generation,md5Hash),nextPageToken";
/// Most pages in a row that bring nothing.
const BARREN_PAGES_MAX: usize = 1_000;
/// All of a key that is escaped in a URL, in which it is one segment.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the names of parts begin with while they are no object yet. No key may, and no list shows them,
/// so that neither is ever taken for the other.
const PARTS: &str = ".repoplane-parts/";
/// The first name after all that begin with [`PARTS`].
const AFTER_PARTS: &str = ".repoplane-parts0";

pub struct GcsBucket {
    endpoint: Url,
    bucket: String,
    account: Account,
    line: Line,
}

/// Whether the secret of a bucket is the key of a service account, or meant to be.
pub fn by_account(target: &Target) -> bool {
    let secret = target.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    target.place.storage_type == StorageType::Gcs && secret.trim_start().starts_with('{')
}

impl GcsBucket {
    pub async fn open(
        egress: &Egress,
        target: &Target,
        patience: Duration,
    ) -> Result<Self, BucketError> {
        let place = &target.place;
        if !is_plain(&place.bucket, CLOUD_NAME_BYTES_MAX) {
            return Err(BucketError::Place("its name takes only a-z A-Z 0-9 . _ -".to_owned()));
        }
        let secret = target.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let key = AccountKey::parse(secret)?;
        let endpoint = place.endpoint.as_deref().filter(|url| !url.is_empty()).unwrap_or(ENDPOINT);
        let checked = egress.check(endpoint).await?;
        let account = Account::open(egress, key, patience).await?;
        let (endpoint, bucket) = (checked.url.clone(), place.bucket.clone());
        Ok(Self { endpoint, bucket, account, line: Line::to(&checked, patience)? })
    }

    /// The URL of the bucket's objects, or of one of them; `service` is the API's part of the path.
    fn url(&self, service: &str, name: Option<&str>, query: &[(&str, &str)]) -> Url {
        let mut url = self.endpoint.clone();
        let mut path =
            format!("{}/{service}storage/v1/b/{}/o", url.path().trim_end_matches('/'), self.bucket);
        if let Some(name) = name {
            path.push('/');
            path.extend(utf8_percent_encode(name, ESCAPED));
        }
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn request(&self, method: Method, url: Url) -> Result<Request, BucketError> {
        let mut request = Request::new(method, url);
        request.headers_mut().insert(AUTHORIZATION, self.account.token().await?);
        Ok(request)
    }

    async fn send(&self, request: Request) -> Result<Answer, BucketError> {
        self.succeeded(self.line.send(request).await?).await
    }

    async fn succeeded(&self, answer: Answer) -> Result<Answer, BucketError> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(self.refusal(answer.status, &answer.body).await)
    }

    /// The meaning of an answer that is not a success. Some come without a document, so the status alone
    /// has to do.
    async fn refusal(&self, status: StatusCode, body: &[u8]) -> BucketError {
        if status == StatusCode::UNAUTHORIZED {
            // It may have been revoked; another may be good.
            self.account.forget().await;
        }
        resource::refusal(status, body)
    }

    /// What an absence means: without a bucket there is nothing in it either. The answers of both differ
    /// in their prose alone.
    async fn absent(&self, what: BucketError) -> BucketError {
        self.head().await.err().unwrap_or(what)
    }

    async fn page(&self, query: &[(&str, &str)]) -> Result<Page, BucketError> {
        let request = self.request(Method::GET, self.url("", None, query)).await?;
        let answer = self.send(request).await.map_err(|error| match error {
            BucketError::NoSuchObject => BucketError::Missing,
            error => error,
        })?;
        Page::parse(&answer.body)
    }

    /// What is there within a span of names, parts or not.
    async fn listed(&self, span: &Span<'_>, max: usize) -> Result<Vec<ListedObject>, BucketError> {
        let mut found: Vec<ListedObject> = Vec::new();
        let mut token: Option<String> = None;
        let mut barren = 0;
        while found.len() < max {
            // One more than wanted, for the key that the span begins after.
            let most = ((max - found.len()).min(PAGE_KEYS_MAX - 1) + 1).to_string();
            let mut query = vec![("maxResults", most.as_str()), ("fields", LISTED_FIELDS)];
            query.extend(span.bounds());
            query.extend(token.as_deref().map(|token| ("pageToken", token)));
            let page = self.page(&query).await?;
            let mut objects: Vec<_> = page.items.into_iter().map(Resource::listed).collect();
            objects.retain(|object| span.after.is_none_or(|after| *object.key > *after));
            let after = found.last().map(|object| object.key.as_str()).or(span.after);
            listing::check(span.prefix, after, &objects)?;
            barren = if objects.is_empty() { barren + 1 } else { 0 };
            if barren > BARREN_PAGES_MAX {
                return Err(BucketError::Unexpected("a list that never ends".to_owned()));
            }
            found.extend(objects);
            let Some(next) = page.next_page_token.filter(|token| !token.is_empty()) else { break };
            token = Some(next);
        }
        found.truncate(max);
        Ok(found)
    }
}

/// Names that begin with `prefix` and come after `after`; of those only the ones from `from` and before
/// `until`.
#[derive(Clone, Copy, Default)]
struct Span<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
    from: Option<&'a str>,
    until: Option<&'a str>,
}

impl<'a> Span<'a> {
    /// As a request says it.
    fn bounds(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let begin = self.from.or(self.after);
        let all =
            [("prefix", Some(self.prefix)), ("startOffset", begin), ("endOffset", self.until)];
        let given = all.into_iter().filter_map(|(name, bound)| Some((name, bound?)));
        given.filter(|(_, bound)| !bound.is_empty())
    }
}

#[async_trait]
impl BucketDriver for GcsBucket {
    async fn head(&self) -> Result<(), BucketError> {
        // To look at the bucket itself takes a permission that nothing else here needs.
        self.page(&[("maxResults", "1"), ("fields", LISTED_FIELDS)]).await.map(drop)
    }

    async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        max: usize,
    ) -> Result<Vec<ListedObject>, BucketError> {
        if prefix.starts_with(PARTS) {
            return Ok(Vec::new());
        }
        let span = Span { prefix, after: start_after, ..Span::default() };
        if !PARTS.starts_with(prefix) || start_after.is_some_and(|after| after >= AFTER_PARTS) {
            return self.listed(&span, max).await;
        }
        // Before the parts, then behind them.
        let mut found = Vec::new();
        if start_after.is_none_or(|after| after < PARTS) {
            found = self.listed(&Span { until: Some(PARTS), ..span }, max).await?;
        }
        let behind = Span { from: Some(AFTER_PARTS), ..span };
        found.extend(self.listed(&behind, max - found.len()).await?);
        Ok(found)
    }
}
