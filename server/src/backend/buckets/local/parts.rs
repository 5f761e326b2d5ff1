//! Objects on a disk in parts: a file for each part in a folder for each upload, copied together when
//! the upload is completed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::file::{self, Head};
use super::{Folder, UPLOADS, blocking, failed};
use crate::backend::buckets::objects::check_order;
use crate::backend::buckets::{
    Attributes, BucketError, Content, Multipart, Objects, Part, Stored, Upload,
};

#[async_trait]
impl Multipart for Folder {
    async fn create_multipart(
        &self,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Upload, BucketError> {
        self.admit(key, 0, attributes)?;
        let id = Uuid::now_v7().to_string();
        let upload = Upload { key: key.to_owned(), id, attributes: attributes.clone() };
        let folder = self.upload(&upload)?;
        blocking(move || file::make_folder(&folder).map_err(failed)).await?;
        Ok(upload)
    }

    async fn upload_part(
        &self,
        upload: &Upload,
        number: u32,
        length: u64,
        content: Content,
    ) -> Result<Part, BucketError> {
        self.admit_part(number, length)?;
        let (folder, root) = (self.upload(upload)?, self.path.clone());
        let known = tokio::fs::try_exists(&folder).await.map_err(failed)?;
        if !known {
            return Err(BucketError::NoSuchUpload);
        }
        let written = self.write(self.incoming(), Vec::new(), length, content).await?;
        let part = Part { number, tag: Uuid::now_v7().to_string() };
        let path = part_path(&folder, &part)?;
        blocking(move || file::place(written, &path, &root).map_err(failed)).await?;
        Ok(part)
    }

    async fn complete_multipart(
        &self,
        upload: &Upload,
        parts: &[Part],
    ) -> Result<Stored, BucketError> {
        check_order(parts)?;
        let folder = self.upload(upload)?;
        let paths = parts.iter().map(|part| part_path(&folder, part));
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        let (incoming, upload) = (self.incoming(), upload.clone());
        let (head, written) = blocking(move || joined(&incoming, upload, &paths)).await?;
        let stored = self.place(head, written.into_temp_path()).await?;
        blocking(move || forget(&folder)).await?;
        Ok(stored)
    }

    async fn abort_multipart(&self, upload: &Upload) -> Result<(), BucketError> {
        let folder = self.upload(upload)?;
        blocking(move || forget(&folder)).await
    }
}

impl Folder {
    fn upload(&self, upload: &Upload) -> Result<PathBuf, BucketError> {
        Ok(self.path.join(UPLOADS).join(plain(&upload.id)?))
    }
}

fn part_path(folder: &Path, part: &Part) -> Result<PathBuf, BucketError> {
    Ok(folder.join(format!("{}.{}", part.number, plain(&part.tag)?)))
}

/// A name that was given here once, and no path.
fn plain(name: &str) -> Result<String, BucketError> {
    Uuid::parse_str(name).map(|id| id.to_string()).map_err(|_| BucketError::NoSuchUpload)
}

/// The file of an object that these parts are the content of.
fn joined(
    incoming: &Path,
    upload: Upload,
    parts: &[PathBuf],
) -> Result<(Head, NamedTempFile), BucketError> {
    let open = |path: &PathBuf| {
        let file = File::open(path)?;
        Ok((file.metadata()?.len(), file))
    };
    let parts = parts.iter().map(open).collect::<io::Result<Vec<_>>>().map_err(absent)?;
    let size = parts.iter().map(|(length, _)| length).sum();
    let etag = Uuid::now_v7().simple().to_string();
    let head = Head { key: upload.key, size, etag, attributes: upload.attributes };
    let line = head.line()?;
    let write = || {
        file::make_folder(incoming)?;
        let mut file = tempfile::Builder::new().prefix("").tempfile_in(incoming)?;
        file.write_all(&line)?;
        for (_, mut part) in parts {
            io::copy(&mut part, &mut file)?;
        }
        file.as_file().sync_all()?;
        Ok(file)
    };
    Ok((head, write().map_err(failed)?))
}

fn forget(folder: &Path) -> Result<(), BucketError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

fn absent(error: io::Error) -> BucketError {
    match error.kind() {
        ErrorKind::NotFound => BucketError::NoSuchUpload,
        _ => failed(error),
    }
}
