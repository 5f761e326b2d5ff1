//! Objects of a storage repo as everybody else has them: through an S3 gateway, this server's or
//! another one's. Knows nothing of what is behind it, and needs no services of its own.

use std::io::SeekFrom;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use ipnet::{Ipv4Net, Ipv6Net};
use secrecy::SecretString;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::backend::buckets::{BucketDriver, BucketError, Buckets, Content, Target, Upload};
use crate::backend::egress::Egress;
use crate::model::bucket::{Place, StorageType};
use crate::model::id::WorkspaceId;
use crate::model::object::Attributes;

/// Objects that are listed at once.
const PAGE_KEYS: usize = 1_000;
/// Objects that are deleted at the same time.
const DELETES_AT_ONCE: usize = 8;
/// What goes out in one request; what is larger comes in parts. In bytes.
const WHOLE_MAX: u64 = 64 * 1024 * 1024;
/// Most parts of an object.
const PARTS_MAX: u64 = 10_000;
/// What is read of a file at once, in bytes.
const PIECE: usize = 256 * 1024;

/// One bucket of a gateway, or a whole storage repo by its name.
pub struct GatewayClient {
    driver: Box<dyn BucketDriver>,
}

/// An object, as a list has it.
pub struct Listed {
    pub key: String,
    pub size: u64,
    /// Without quotes.
    pub etag: Option<String>,
}

/// An object that is being read.
pub struct Read {
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    pub body: BoxStream<'static, Result<Bytes, BucketError>>,
}

impl GatewayClient {
    /// Opens a bucket; asks nothing yet.
    pub async fn open(
        url: &str,
        bucket: &str,
        (key, secret): (String, SecretString),
    ) -> Result<Self, BucketError> {
        // Whoever types a URL may go wherever they want.
        let everywhere = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
        let place = Place {
            storage_type: StorageType::S3,
            bucket: bucket.to_owned(),
            endpoint: Some(url.to_owned()),
            region: None,
            key: Some(key),
        };
        let target = Target { workspace: WorkspaceId::new(), place, secret: Some(secret) };
        let driver = Buckets::new(Egress::new(everywhere), "".into()).open(&target).await?;
        Ok(Self { driver })
    }

    /// Writes an object of what is in a file; answers its ETag. `seen` hears of bytes as they go.
    pub async fn put(
        &self,
        key: &str,
        file: &Path,
        length: u64,
        seen: impl Fn(u64) + Clone + Send + 'static,
    ) -> Result<String, BucketError> {
        let attributes = Attributes::default();
        if length <= WHOLE_MAX {
            let content = content(file, 0..length, seen).await?;
            return Ok(self.driver.put(key, length, &attributes, content).await?.etag);
        }
        let upload = self.driver.create_multipart(key, &attributes).await?;
        let done = self.put_parts(&upload, file, length, seen).await;
        if done.is_err() {
            // What cannot be given up now, the gateway gives up in time.
            let _ = self.driver.abort_multipart(&upload).await;
        }
        done
    }

    async fn put_parts(
        &self,
        upload: &Upload,
        file: &Path,
        length: u64,
        seen: impl Fn(u64) + Clone + Send + 'static,
    ) -> Result<String, BucketError> {
        let size = WHOLE_MAX.max(length.div_ceil(PARTS_MAX));
        let (mut parts, mut begin) = (vec![], 0);
        for number in 1.. {
            let range = begin..length.min(begin + size);
            begin = range.end;
            let part = content(file, range.clone(), seen.clone()).await?;
            let sent = self.driver.upload_part(upload, number, range.end - range.start, part);
            parts.push(sent.await?);
            if begin == length {
                break;
            }
        }
        Ok(self.driver.complete_multipart(upload, &parts).await?.etag)
    }

    pub async fn get(&self, key: &str) -> Result<Read, BucketError> {
        let fetched = self.driver.get(key, None).await?;
        let object = fetched.object;
        Ok(Read { size: object.size, etag: object.etag, body: fetched.body })
    }

    /// Whether there is an object of this key.
    pub async fn find(&self, key: &str) -> Result<(), BucketError> {
        self.driver.head_object(key).await.map(drop)
    }

    /// All objects whose keys begin so, in the order of their keys.
    pub fn list<'a>(&'a self, prefix: &'a str) -> BoxStream<'a, Result<Listed, BucketError>> {
        let page = async move |after: Option<Option<String>>| {
            let Some(after) = after else { return Ok(None) };
            let found = self.driver.list(prefix, after.as_deref(), PAGE_KEYS).await?;
            let last = found.last().map(|object| object.key.clone());
            let next = last.filter(|_| found.len() == PAGE_KEYS).map(Some);
            let listed = found
                .into_iter()
                .map(|object| Ok(Listed { key: object.key, size: object.size, etag: object.etag }));
            Ok::<_, BucketError>(Some((stream::iter(listed), next)))
        };
        stream::try_unfold(Some(None), page).try_flatten().boxed()
    }

    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.driver.delete(key).await
    }

    /// Deletes all objects whose keys begin so; `seen` hears of each.
    pub async fn delete_all(&self, prefix: &str, seen: impl Fn(&str)) -> Result<u64, BucketError> {
        let delete = async |object: Listed| {
            self.driver.delete(&object.key).await?;
            seen(&object.key);
            Ok(1)
        };
        let deleted = self.list(prefix).map_ok(delete).try_buffer_unordered(DELETES_AT_ONCE);
        deleted.try_fold(0, async |sum, one| Ok(sum + one)).await
    }
}

/// A part of a file, as it goes out.
async fn content(
    file: &Path,
    range: Range<u64>,
    seen: impl Fn(u64) + Send + 'static,
) -> Result<Content, BucketError> {
    let opened = async {
        let mut file = File::open(file).await?;
        file.seek(SeekFrom::Start(range.start)).await?;
        Ok::<_, std::io::Error>(file.take(range.end - range.start))
    };
    let read = opened.await.map_err(|error| BucketError::Content(error.to_string()))?;
    let pieces = ReaderStream::with_capacity(read, PIECE);
    Ok(pieces.inspect_ok(move |piece| seen(piece.len() as u64)).boxed())
}
