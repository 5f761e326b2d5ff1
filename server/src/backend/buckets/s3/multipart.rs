//! Objects of S3 in parts. The signing library numbers parts without gaps, so what completes an upload
//! is written here.

use async_trait::async_trait;
use quick_xml::{de, se};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, Request};
use rusty_s3::S3Action;
use serde::{Deserialize, Serialize};

use super::objects::{described, etag, succeeded};
use super::{S3Bucket, SIGNATURE_TTL};
use crate::backend::buckets::objects::check_order;
use crate::backend::buckets::{
    Attributes, BucketError, Content, Multipart, Objects, Part, Stored, Upload,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateMultipartUploadResult {
    upload_id: String,
}

#[derive(Deserialize)]
enum Completed {
    CompleteMultipartUploadResult {
        #[serde(rename = "ETag")]
        etag: String,
    },
}

#[derive(Serialize)]
struct CompleteMultipartUpload {
    #[serde(rename = "Part")]
    parts: Vec<CompletedPart>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompletedPart {
    part_number: u32,
    #[serde(rename = "ETag")]
    etag: String,
}

#[async_trait]
impl Multipart for S3Bucket {
    async fn create_multipart(
        &self,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Upload, BucketError> {
        self.admit(key, 0, attributes)?;
        let action = self.bucket.create_multipart_upload(Some(&self.credentials), key);
        let mut request = described(Method::POST, action, attributes)?;
        request.headers_mut().insert(CONTENT_LENGTH, 0.into());
        let answer = succeeded(self.line.send(request).await?)?;
        let begun: InitiateMultipartUploadResult = de::from_reader(&*answer.body)
            .map_err(|_| BucketError::Unexpected("no upload of S3".to_owned()))?;
        Ok(Upload { key: key.to_owned(), id: begun.upload_id, attributes: attributes.clone() })
    }

    async fn upload_part(
        &self,
        upload: &Upload,
        number: u32,
        length: u64,
        content: Content,
    ) -> Result<Part, BucketError> {
        self.admit_part(number, length)?;
        let unsaid = BucketError::PartNumber(self.limits().part_number_max);
        let action = self.bucket.upload_part(
            Some(&self.credentials),
            &upload.key,
            u16::try_from(number).map_err(|_| unsaid)?,
            &upload.id,
        );
        let request = Request::new(Method::PUT, action.sign(SIGNATURE_TTL));
        let answer = succeeded(self.line.upload(request, length, content).await?)?;
        Ok(Part { number, tag: etag(&answer)? })
    }

    async fn complete_multipart(
        &self,
        upload: &Upload,
        parts: &[Part],
    ) -> Result<Stored, BucketError> {
        check_order(parts)?;
        let part = |part: &Part| CompletedPart {
            part_number: part.number,
            etag: format!("\"{}\"", part.tag),
        };
        let completion = CompleteMultipartUpload { parts: parts.iter().map(part).collect() };
        let body = se::to_string(&completion)
            .map_err(|_| BucketError::Content("its parts' tags cannot be said".to_owned()))?;
        let (key, credentials) = (upload.key.as_str(), Some(&self.credentials));
        let action =
            self.bucket.complete_multipart_upload(credentials, key, &upload.id, std::iter::empty());
        let mut request = Request::new(Method::POST, action.sign(SIGNATURE_TTL));
        *request.body_mut() = Some(body.into());
        // The answer begins early and ends when the object is there, or is not: only its end counts.
        let answer = self.line.whole(self.line.fetch(request).await?).await?;
        let answer = succeeded(answer)?;
        match de::from_reader(answer.body.trim_ascii_start()) {
            Ok(Completed::CompleteMultipartUploadResult { etag }) => {
                Ok(Stored { etag: etag.trim_matches('"').to_owned() })
            }
            Err(_) => Err(super::refusal(&answer)),
        }
    }

    async fn abort_multipart(&self, upload: &Upload) -> Result<(), BucketError> {
        let credentials = Some(&self.credentials);
        let action = self.bucket.abort_multipart_upload(credentials, &upload.key, &upload.id);
        match succeeded(self.send(Method::DELETE, action).await?) {
            Ok(_) | Err(BucketError::NoSuchUpload) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
