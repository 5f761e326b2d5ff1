//! Reads what S3 lists. The signing library reads lists too, but insists on a namespace that GCS
//! spells otherwise and others leave out. What is no list must not pass for an empty one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use quick_xml::de;
use serde::Deserialize;

use crate::backend::buckets::{BucketError, ListedObject};

pub struct Page {
    pub objects: Vec<ListedObject>,
    /// Whether there is more.
    pub truncated: bool,
}

#[derive(Deserialize)]
enum Document {
    #[serde(rename_all = "PascalCase")]
    ListBucketResult {
        #[serde(default)]
        is_truncated: bool,
        encoding_type: Option<String>,
        #[serde(default)]
        contents: Vec<Contents>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

impl Page {
    pub fn parse(body: &[u8]) -> Result<Self, BucketError> {
        let unreadable = || BucketError::Unexpected("no list of S3".to_owned());
        let Document::ListBucketResult { is_truncated, encoding_type, contents } =
            de::from_reader(body).map_err(|_| unreadable())?;
        let encoded = encoding_type.as_deref() == Some("url");
        let objects = contents.into_iter().map(|object| {
            let key =
                if encoded { decoded(&object.key).ok_or_else(unreadable)? } else { object.key };
            let etag = object.etag.map(|etag| etag.trim_matches('"').to_owned());
            Ok(ListedObject { key, size: object.size, etag })
        });
        Ok(Self { objects: objects.collect::<Result<_, BucketError>>()?, truncated: is_truncated })
    }
}

/// A key as it was. Asked to encode keys, AWS writes a space as `+`, others as `%20`, and all of them
/// a `+` as `%2B`.
fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', "%20");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}
