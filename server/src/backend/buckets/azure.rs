//! Containers of Azure Blob Storage, opened by an account's key. The requests are our own, since
//! object_store tidies keys and cannot say `a//b`; only the signing is its.

use async_trait::async_trait;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::percent_decode_str;
use quick_xml::de;
use reqwest::{Method, Request};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::dial::{Answer, Line};
use super::listing::{self, ListedObject, PAGE_KEYS_MAX};
use super::{BucketDriver, BucketError, Target};
use crate::backend::egress::Egress;

/// Longest name of a storage account, in bytes.
const ACCOUNT_BYTES_MAX: usize = 24;

pub struct Container {
    url: Url,
    account: String,
    credential: AzureCredential,
    line: Line,
}

impl Container {
    pub async fn open(egress: &Egress, target: &Target) -> Result<Self, BucketError> {
        let (account, credential) = credential(target)?;
        let endpoint = target.place.endpoint.clone().filter(|url| !url.is_empty());
        let endpoint =
            endpoint.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net"));
        let checked = egress.check(&endpoint).await?;
        let url = container_url(checked.url.clone(), &target.place.bucket)?;
        Ok(Self { url, account, credential, line: Line::to(&checked)? })
    }

    async fn send(&self, method: Method, query: &[(&str, &str)]) -> Result<Answer, BucketError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(query);
        // A form's space is not everybody's; a plus itself is already escaped.
        let spelled = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&spelled));

        let unsignable = |_| BucketError::Place("its address cannot be signed".to_owned());
        let mut signed = HttpRequest::new(HttpRequestBody::empty());
        *signed.method_mut() = method.clone();
        *signed.uri_mut() = url.as_str().parse().map_err(unsignable)?;
        AzureAuthorizer::new(&self.credential, &self.account)
            .try_authorize(&mut signed)
            .map_err(|_| BucketError::Credential)?;

        let mut request = Request::new(method, url);
        *request.headers_mut() = std::mem::take(signed.headers_mut());
        let answer = self.line.send(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let code = answer.header("x-ms-error-code");
        Err(BucketError::of_answer(answer.status, code, None, &answer.body))
    }

    async fn page(&self, prefix: &str, from: From<'_>, max: usize) -> Result<Page, BucketError> {
        let max = max.to_string();
        let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", &max)];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(match from {
            From::Start => None,
            From::Key(key) => Some(("startFrom", key)),
            From::Marker(marker) => Some(("marker", marker)),
        });
        Page::parse(&self.send(Method::GET, &query).await?.body)
    }
}

/// Where a page begins.
enum From<'a> {
    Start,
    /// At this key or the next one there is.
    Key(&'a str),
    /// Where the last page told to go on.
    Marker(&'a str),
}

#[async_trait]
impl BucketDriver for Container {
    async fn head(&self) -> Result<(), BucketError> {
        self.send(Method::HEAD, &[("restype", "container")]).await.map(drop)
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
        let mut marker: Option<String> = None;
        while found.len() < max {
            let from = match (&marker, start_after) {
                (Some(marker), _) => From::Marker(marker),
                (None, Some(key)) if key.starts_with(prefix) => From::Key(key),
                (None, _) => From::Start,
            };
            // One more than wanted, for the key that the page begins at.
            let mut page =
                self.page(prefix, from, (max - found.len() + 1).min(PAGE_KEYS_MAX)).await?;
            // Services that do not know `startFrom` begin at the first key there is.
            page.objects
                .retain(|object| start_after.is_none_or(|after| object.key.as_str() > after));
            let after = found.last().map(|object| object.key.as_str()).or(start_after);
            listing::check(prefix, after, &page.objects)?;
            found.extend(page.objects);
            if page.next.is_some() && page.next == marker {
                return Err(BucketError::Unexpected("a list that never ends".to_owned()));
            }
            marker = page.next;
            if marker.is_none() {
                break;
            }
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

struct Page {
    objects: Vec<ListedObject>,
    /// Marker of the page after this one.
    next: Option<String>,
}

/// As Azure writes it.
#[derive(Deserialize)]
enum Document {
    #[serde(rename_all = "PascalCase")]
    EnumerationResults { blobs: Blobs, next_marker: Option<String> },
}

#[derive(Deserialize)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: Name,
    properties: Properties,
}

#[derive(Deserialize)]
struct Name {
    /// Set on names that XML cannot hold as they are.
    #[serde(rename = "@Encoded", default)]
    encoded: bool,
    #[serde(rename = "$text", default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    #[serde(rename = "Content-Length")]
    size: u64,
    #[serde(alias = "ETag")]
    etag: Option<String>,
    resource_type: Option<String>,
}

impl Page {
    fn parse(body: &[u8]) -> Result<Self, BucketError> {
        let unreadable = || BucketError::Unexpected("no list of Azure Blob Storage".to_owned());
        let Document::EnumerationResults { blobs, next_marker } =
            de::from_reader(body).map_err(|_| unreadable())?;
        // Accounts with a hierarchical namespace list folders, which are no objects.
        let objects = blobs
            .blobs
            .into_iter()
            .filter(|blob| blob.properties.resource_type.as_deref() != Some("directory"));
        let objects = objects.map(|blob| {
            let key = blob.name.decoded().ok_or_else(unreadable)?;
            let etag = blob.properties.etag.map(|etag| etag.trim_matches('"').to_owned());
            Ok(ListedObject { key, size: blob.properties.size, etag })
        });
        let objects = objects.collect::<Result<_, BucketError>>()?;
        Ok(Self { objects, next: next_marker.filter(|marker| !marker.is_empty()) })
    }
}

impl Name {
    fn decoded(self) -> Option<String> {
        if !self.encoded {
            return Some(self.text);
        }
        percent_decode_str(&self.text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither the real service nor such names can be had from the peer.
    #[test]
    fn names_are_read_as_they_are() {
        let list = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <EnumerationResults ServiceEndpoint=\"https://a.blob.core.windows.net/\" ContainerName=\"c\">\
            <MaxResults>5</MaxResults><Blobs>\
            <Blob><Name> a </Name><Properties><Etag>0x8D</Etag><Content-Length>1</Content-Length></Properties></Blob>\
            <Blob><Name Encoded=\"true\">b%EF%BF%BF+</Name><Properties><Content-Length>2</Content-Length></Properties></Blob>\
            <Blob><Name>c</Name><Properties><Content-Length>0</Content-Length>\
            <ResourceType>directory</ResourceType></Properties></Blob>\
            <Blob><Name>d&amp;&lt;%2F</Name><Properties><Content-Length>4</Content-Length></Properties></Blob>\
            </Blobs><NextMarker>m</NextMarker></EnumerationResults>";
        let page = Page::parse(list.as_bytes()).expect("a list");
        let keys: Vec<&str> = page.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, [" a ", "b\u{ffff}+", "d&<%2F"]);
        assert_eq!(page.objects[0].etag.as_deref(), Some("0x8D"));
        assert_eq!(page.next.as_deref(), Some("m"));
    }
}
