//! Members of a storage repo: how an operator writes a list of them, and how one is put in, changed
//! and taken out. Asks no server.

use std::str::FromStr;

use repoplane_client::types::{BucketFolder, IdOrName, RepoBucket, RepoBucketInfo};

use crate::cli::table::table;

/// The buckets of a storage repo.
#[derive(clap::Args, Default, PartialEq)]
pub struct Members {
    /// The primary bucket, by id or name, and its folder
    #[arg(long, value_name = "BUCKET[:FOLDER]")]
    primary: Option<Member>,
    /// Another bucket, by id or name, and its folder; may be repeated
    #[arg(long, value_name = "BUCKET[:FOLDER]")]
    bucket: Vec<Member>,
}

/// A bucket, and where in it. A bucket with a colon in its name goes by its id.
#[derive(Clone, PartialEq)]
struct Member {
    bucket: IdOrName,
    folder: Option<BucketFolder>,
}

impl FromStr for Member {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (bucket, path) = match text.split_once(':') {
            Some((bucket, path)) => (bucket, Some(path)),
            None => (text, None),
        };
        let bucket =
            bucket.parse().map_err(|_| anyhow::anyhow!("name a bucket of 1 to 255 characters"))?;
        Ok(Self { bucket, folder: path.map(folder).transpose()? })
    }
}

pub fn folder(text: &str) -> anyhow::Result<BucketFolder> {
    text.parse().map_err(|_| {
        anyhow::anyhow!(
            "a folder has at most 512 characters, none of them a control character, and no part \
             that is empty, `.` or `..`"
        )
    })
}

impl Members {
    /// The list for a request; none if no bucket is named.
    pub fn named(self) -> Option<Vec<RepoBucket>> {
        let primary = self.primary.map(|member| entry(member.bucket, member.folder, true));
        let others =
            self.bucket.into_iter().map(|member| entry(member.bucket, member.folder, false));
        let all: Vec<RepoBucket> = primary.into_iter().chain(others).collect();
        (!all.is_empty()).then_some(all)
    }
}

/// The list with the bucket in it. One that is there already keeps what is not said anew.
pub fn linked(
    members: &[RepoBucketInfo],
    bucket: IdOrName,
    folder: Option<BucketFolder>,
    primary: bool,
) -> anyhow::Result<Vec<RepoBucket>> {
    let at = members.iter().position(|member| is(member, &bucket));
    let mut list = members.iter().map(kept).collect::<anyhow::Result<Vec<_>>>()?;
    if primary {
        list.iter_mut().for_each(|other| other.master = Some(false));
    }
    match at {
        Some(at) => {
            list[at].folder = folder.or(list[at].folder.take());
            list[at].master = list[at].master.map(|master| master || primary);
        }
        None => list.push(entry(bucket, folder, primary)),
    }
    Ok(list)
}

/// The list without the bucket, which must be in it.
pub fn unlinked(members: &[RepoBucketInfo], bucket: &str) -> anyhow::Result<Vec<RepoBucket>> {
    anyhow::ensure!(
        members.iter().any(|member| is(member, bucket)),
        "the storage repo holds no bucket {bucket:?}; `repoplane storage repo show` lists those it \
         holds"
    );
    members.iter().filter(|member| !is(member, bucket)).map(kept).collect()
}

pub fn shown(members: &[RepoBucketInfo]) -> String {
    let rows = members.iter().map(|member| {
        let primary = if member.master { "yes" } else { "no" };
        let status = member.bucket.status.clone();
        [member.bucket.name.clone(), member.folder.clone(), primary.to_owned(), status]
    });
    table(["BUCKET", "FOLDER", "PRIMARY", "STATUS"], rows)
}

/// Names are unique in an organisation, so this is never true of two.
fn is(member: &RepoBucketInfo, wanted: &str) -> bool {
    match wanted.parse::<uuid::Uuid>() {
        Ok(id) => member.bucket_id == id,
        Err(_) => member.bucket.name == wanted,
    }
}

fn kept(member: &RepoBucketInfo) -> anyhow::Result<RepoBucket> {
    let id = member.bucket_id.to_string().parse()?;
    Ok(entry(id, Some(folder(&member.folder)?), member.master))
}

fn entry(bucket: IdOrName, folder: Option<BucketFolder>, primary: bool) -> RepoBucket {
    RepoBucket { bucket_id: Some(bucket), folder, master: Some(primary), ..Default::default() }
}

#[cfg(test)]
mod tests;
