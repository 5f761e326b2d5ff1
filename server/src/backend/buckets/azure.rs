//! Containers of Azure Blob Storage, opened by an account's key. The requests are our own, since
//! object_store tidies keys and cannot say `a//b`; only the signing is its.

mod blocks;
mod metadata;
mod objects;
mod page;

use std::time::Duration;

use async_trait::async_trait;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::HeaderMap;
use reqwest::{Method, Request};
use secrecy::ExposeSecret;
use url::Url;

use super::dial::{Answer, Line};
use super::listing::{self, ListedObject, PAGE_KEYS_MAX};
use super::{BucketDriver, BucketError, Target};
use crate::backend::egress::Egress;
use page::Page;

/// Longest name of a storage account, in bytes.
const ACCOUNT_BYTES_MAX: usize = 24;
/// Most pages in a row that bring nothing: Azure gives such pages now and then, and the emulator for
/// all that comes before the key to begin at.
const BARREN_PAGES_MAX: usize = 1_000;

pub struct Container {
    url: Url,
    account: String,
    credential: AzureCredential,
    line: Line,
}

impl Container {
    pub async fn open(
        egress: &Egress,
        target: &Target,
        patience: Duration,
    ) -> Result<Self, BucketError> {
        let (account, credential) = credential(target)?;
        let endpoint = target.place.endpoint.clone().filter(|url| !url.is_empty());
        let endpoint =
            endpoint.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net"));
        let checked = egress.check(&endpoint).await?;
        let url = container_url(checked.url.clone(), &target.place.bucket)?;
        Ok(Self { url, account, credential, line: Line::to(&checked, patience)? })
    }

    async fn send(&self, method: Method, query: &[(&str, &str)]) -> Result<Answer, BucketError> {
        let request = self.signed(method, self.url.clone(), query, HeaderMap::new())?;
        succeeded(self.line.send(request).await?)
    }

    fn signed(
        &self,
        method: Method,
        mut url: Url,
        query: &[(&str, &str)],
        headers: HeaderMap,
    ) -> Result<Request, BucketError> {
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        // A form's space is not everybody's; a plus itself is already escaped.
        let spelled = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(spelled.as_deref());

        let unsignable = |_| BucketError::Place("its address cannot be signed".to_owned());
        let mut signed = HttpRequest::new(HttpRequestBody::empty());
        *signed.method_mut() = method.clone();
        *signed.uri_mut() = url.as_str().parse().map_err(unsignable)?;
        *signed.headers_mut() = headers;
        AzureAuthorizer::new(&self.credential, &self.account)
            .try_authorize(&mut signed)
            .map_err(|_| BucketError::Credential)?;

        let mut request = Request::new(method, url);
        *request.headers_mut() = std::mem::take(signed.headers_mut());
        Ok(request)
    }

    async fn page(&self, prefix: &str, begin: &Begin, max: usize) -> Result<Page, BucketError> {
        let max = max.to_string();
        let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", &max)];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        match begin {
            Begin::First => {}
            Begin::Key(key) => query.push(("startFrom", key)),
            Begin::Marker(marker) => query.push(("marker", marker)),
        }
        Page::parse(&self.send(Method::GET, &query).await?.body)
    }
}

fn succeeded(answer: Answer) -> Result<Answer, BucketError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let code = answer.header("x-ms-error-code");
    Err(BucketError::of_answer(answer.status, code, None, &answer.body))
}

/// Where a page begins.
enum Begin {
    /// At the first key.
    First,
    /// At this key or the next one there is.
    Key(String),
    /// Where the last page told to go on.
    Marker(String),
}

#[async_trait]
impl BucketDriver for Container {
    async fn head(&self) -> Result<(), BucketError> {
        // With GET the answer has room for a reason, and is otherwise as short.
        self.send(Method::GET, &[("restype", "container")]).await.map(drop)
    }

    async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        max: usize,
    ) -> Result<Vec<ListedObject>, BucketError> {
        if start_after.is_some_and(|after| after > prefix && !after.starts_with(prefix)) {
            return Ok(Vec::new());
        }
        let mut found: Vec<ListedObject> = Vec::new();
        let mut begin = match start_after {
            Some(key) if key.starts_with(prefix) => Begin::Key(key.to_owned()),
            _ => Begin::First,
        };
        let mut barren = 0;
        while found.len() < max {
            // One more than wanted, for the key that the first page begins at.
            let most = (max - found.len()).min(PAGE_KEYS_MAX - 1) + 1;
            let mut page = self.page(prefix, &begin, most).await?;
            page.objects.retain(|object| start_after.is_none_or(|after| *object.key > *after));
            let after = found.last().map(|object| object.key.as_str()).or(start_after);
            listing::check(prefix, after, &page.objects)?;
            barren = if page.objects.is_empty() { barren + 1 } else { 0 };
            if barren > BARREN_PAGES_MAX {
                return Err(BucketError::Unexpected("a list that never ends".to_owned()));
            }
            found.extend(page.objects);
            let Some(marker) = page.next else { break };
            begin = Begin::Marker(marker);
        }
        found.truncate(max);
        Ok(found)
    }
}

fn credential(target: &Target) -> Result<(String, AzureCredential), BucketError> {
    let place = |text: &str| BucketError::Place(text.to_owned());
    let account = target.place.key.as_deref().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !(1..=ACCOUNT_BYTES_MAX).contains(&account.len()) || !account.bytes().all(plain) {
        return Err(place(
            "the key is not the name of a storage account; enter that name as the key",
        ));
    }
    let secret = target.secret.as_ref().map(ExposeSecret::expose_secret);
    let secret = secret.filter(|secret| !secret.is_empty());
    let secret = secret.ok_or_else(|| place("the secret is missing; enter the account's key"))?;
    let key = AzureAccessKey::try_new(secret).map_err(|_| {
        place("the secret is not base64; enter the account's key as Azure shows it")
    })?;
    Ok((account.to_owned(), AzureCredential::AccessKey(key)))
}

fn container_url(mut endpoint: Url, container: &str) -> Result<Url, BucketError> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-$".contains(&byte);
    if container.is_empty() || !container.bytes().all(plain) {
        return Err(BucketError::Place("the container's name takes a-z 0-9 -".to_owned()));
    }
    endpoint.set_query(None);
    endpoint.set_fragment(None);
    endpoint
        .path_segments_mut()
        .map_err(|()| BucketError::Place("its endpoint is not https://HOST".to_owned()))?
        .pop_if_empty()
        .push(container);
    Ok(endpoint)
}
