//! Blobs in blocks. Blocks that no list names are no blob, and Azure itself forgets them after a week,
//! or sooner when another content gets the same key: then the upload cannot be completed any more.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt, stream};
use quick_xml::se;
use reqwest::header::HeaderMap;
use serde::Serialize;
use uuid::Uuid;

use super::objects::etag;
use super::{Container, metadata};
use crate::backend::buckets::objects::check_order;
use crate::backend::buckets::{
    Attributes, BucketError, Content, Multipart, Objects, Part, Stored, Upload,
};

#[derive(Serialize)]
struct BlockList<'a> {
    #[serde(rename = "Uncommitted")]
    blocks: Vec<&'a str>,
}

#[async_trait]
impl Multipart for Container {
    async fn create_multipart(
        &self,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Upload, BucketError> {
        self.admit(key, 0, attributes)?;
        // What does not open must not seem to.
        super::BucketDriver::head(self).await?;
        let id = Uuid::now_v7().simple().to_string();
        Ok(Upload { key: key.to_owned(), id, attributes: attributes.clone() })
    }

    async fn upload_part(
        &self,
        upload: &Upload,
        number: u32,
        length: u64,
        content: Content,
    ) -> Result<Part, BucketError> {
        self.admit_part(number, length)?;
        // Each is a block of its own, so that the tag tells which one is meant. All blocks of a blob
        // have names of one length.
        let tag = STANDARD.encode(Uuid::now_v7().as_bytes());
        let query = [("comp", "block"), ("blockid", &tag)];
        self.upload(&upload.key, &query, HeaderMap::new(), length, content).await?;
        Ok(Part { number, tag })
    }

    async fn complete_multipart(
        &self,
        upload: &Upload,
        parts: &[Part],
    ) -> Result<Stored, BucketError> {
        check_order(parts)?;
        let list = BlockList { blocks: parts.iter().map(|part| part.tag.as_str()).collect() };
        let list = se::to_string(&list)
            .map_err(|_| BucketError::Content("its parts' tags cannot be said".to_owned()))?;
        let list = Bytes::from(list);
        let headers = metadata::headers(&upload.attributes)?;
        let (length, content) = (list.len() as u64, stream::iter([Ok(list)]).boxed());
        let query = [("comp", "blocklist")];
        let answer = self.upload(&upload.key, &query, headers, length, content).await?;
        Ok(Stored { etag: etag(&answer)? })
    }

    async fn abort_multipart(&self, _upload: &Upload) -> Result<(), BucketError> {
        Ok(())
    }
}
