//! Objects of Google in parts. A part is an object of its own, under a name that no key has, until all
//! are put together; then, or when the upload is given up, what has such a name is deleted.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use tracing::warn;
use uuid::Uuid;

use super::objects::TYPE;
use super::resource::{Description, Resource};
use super::{BucketDriver, GcsBucket, PARTS, Span};
use crate::backend::buckets::objects::check_order;
use crate::backend::buckets::{
    Attributes, BucketError, Content, Multipart, Objects, Part, Stored, Upload,
};

/// Most objects that one request puts together.
const COMPOSE_MAX: usize = 32;
/// How many requests of one upload are under way at once.
const CONCURRENT_MAX: usize = 16;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Composition<'a> {
    source_objects: Vec<Source<'a>>,
    destination: Description,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
}

#[async_trait]
impl Multipart for GcsBucket {
    async fn create_multipart(
        &self,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Upload, BucketError> {
        self.admit(key, 0, attributes)?;
        // What does not open must not seem to.
        self.head().await?;
        let id = Uuid::now_v7().to_string();
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
        // Each has a name of its own, so that the tag tells which one is meant.
        let part = Part { number, tag: Uuid::now_v7().to_string() };
        let name = part_name(&folder(upload)?, &part)?;
        self.insert(&name, length, &Attributes::default(), content).await?;
        Ok(part)
    }

    async fn complete_multipart(
        &self,
        upload: &Upload,
        parts: &[Part],
    ) -> Result<Stored, BucketError> {
        check_order(parts)?;
        let folder = folder(upload)?;
        let names = parts.iter().map(|part| part_name(&folder, part));
        let mut names = names.collect::<Result<Vec<_>, _>>()?;
        while names.len() > COMPOSE_MAX {
            let groups: Vec<Vec<String>> = names.chunks(COMPOSE_MAX).map(<[_]>::to_vec).collect();
            let joined = stream::iter(groups).map(|group| self.join(&folder, group));
            names = joined.buffered(CONCURRENT_MAX).try_collect().await?;
        }
        let resource = self.compose(&upload.key, &names, (&upload.attributes).into()).await?;
        if let Err(error) = self.clear(&folder).await {
            // The object is there, so the upload must not seem to have failed.
            warn!(%error, bucket = self.bucket, folder, "parts of a completed upload are left");
        }
        Ok(resource.stored())
    }

    async fn abort_multipart(&self, upload: &Upload) -> Result<(), BucketError> {
        self.clear(&folder(upload)?).await
    }
}

impl GcsBucket {
    /// Makes one part of several.
    async fn join(&self, folder: &str, names: Vec<String>) -> Result<String, BucketError> {
        let joined = format!("{folder}joined.{}", Uuid::now_v7());
        self.compose(&joined, &names, Description::default()).await?;
        Ok(joined)
    }

    async fn compose(
        &self,
        name: &str,
        sources: &[String],
        mut destination: Description,
    ) -> Result<Resource, BucketError> {
        // Unlike what comes with a content, this has to have a type.
        destination.content_type.get_or_insert_with(|| TYPE.to_owned());
        let source_objects = sources.iter().map(|name| Source { name }).collect();
        let composition = serde_json::to_vec(&Composition { source_objects, destination })
            .map_err(|_| BucketError::Attribute("description".to_owned()))?;
        let mut url = self.url("", Some(name), &[]);
        url.set_path(&format!("{}/compose", url.path()));
        let mut request = self.request(Method::POST, url).await?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        *request.body_mut() = Some(composition.into());
        match self.send(request).await {
            Ok(answer) => Resource::parse(&answer.body),
            Err(BucketError::NoSuchObject) => Err(self.absent(BucketError::NoSuchUpload).await),
            Err(error) => Err(error),
        }
    }

    /// Deletes all parts of an upload, put together or not.
    async fn clear(&self, folder: &str) -> Result<(), BucketError> {
        let parts = Span { prefix: folder, ..Span::default() };
        let parts = self.listed(&parts, usize::MAX).await?;
        let removals = stream::iter(parts).map(|part| self.remove_part(part.key));
        removals.buffer_unordered(CONCURRENT_MAX).try_collect().await
    }

    async fn remove_part(&self, name: String) -> Result<(), BucketError> {
        match self.remove(&name).await {
            Err(BucketError::NoSuchObject) => Ok(()),
            done => done,
        }
    }
}

/// What the names of an upload's parts begin with.
fn folder(upload: &Upload) -> Result<String, BucketError> {
    Ok(format!("{PARTS}{}/", plain(&upload.id)?))
}

fn part_name(folder: &str, part: &Part) -> Result<String, BucketError> {
    Ok(format!("{folder}{}.{}", part.number, plain(&part.tag)?))
}

/// What was given here once, and nothing else that would lead to other names.
fn plain(id: &str) -> Result<Uuid, BucketError> {
    Uuid::parse_str(id).map_err(|_| BucketError::NoSuchUpload)
}
