//! Reads what Azure lists. What is no list must not pass for an empty one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use quick_xml::de;
use serde::Deserialize;

use crate::backend::buckets::{BucketError, ListedObject};

pub struct Page {
    pub objects: Vec<ListedObject>,
    /// Marker of the page after this one.
    pub next: Option<String>,
}

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
    pub fn parse(body: &[u8]) -> Result<Self, BucketError> {
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
        percent_decode_str(&self.text).decode_utf8().ok().map(Cow::into_owned)
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
