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
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<(String, Option<String>)> {
        let member: Member = text.parse()?;
        Ok((member.bucket.to_string(), member.folder.map(|folder| folder.to_string())))
    }

    fn holding(entries: &[(&str, bool)]) -> Vec<RepoBucketInfo> {
        let entries = entries.iter().map(|(name, master)| {
            let id = uuid::Uuid::from_u128(name.len() as u128);
            serde_json::json!({
                "folder": format!("in-{name}"), "master": master, "bucketId": id,
                "bucket": {
                    "id": id, "name": name, "bucket": "b", "storageType": "S3",
                    "workspaceId": id, "status": "ONLINE",
                    "lastStatusAt": "2026-01-15T10:30:00Z", "createdAt": "2026-01-15T10:30:00Z",
                },
            })
        });
        serde_json::from_value(entries.collect()).expect("members")
    }

    fn brief(list: &[RepoBucket]) -> Vec<(String, Option<String>, Option<bool>)> {
        let text = |folder: &Option<BucketFolder>| folder.as_ref().map(|folder| folder.to_string());
        let named = |entry: &RepoBucket| entry.bucket_id.as_ref().expect("named").to_string();
        list.iter().map(|entry| (named(entry), text(&entry.folder), entry.master)).collect()
    }

    #[test]
    fn a_member_is_a_bucket_and_maybe_a_folder() {
        assert_eq!(parsed("a b").expect("no folder"), ("a b".to_owned(), None));
        let (bucket, folder) = parsed("a:b/c:d").expect("a folder");
        assert_eq!((bucket.as_str(), folder.as_deref()), ("a", Some("b/c:d")));
        for wrong in ["", ":folder", "a:b//c", "a:../b"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_new_primary_bucket_takes_the_place_of_the_one_there_is() {
        let members = holding(&[("a", true), ("bb", false)]);
        let ids: Vec<String> = members.iter().map(|member| member.bucket_id.to_string()).collect();
        let entry = |bucket: &str, folder: Option<&str>, primary| {
            (bucket.to_owned(), folder.map(str::to_owned), Some(primary))
        };
        let link = |bucket: &str, folder: Option<&str>, primary| {
            let folder = folder.map(|folder| folder.parse().expect("folder"));
            let bucket = bucket.parse().expect("name");
            brief(&linked(&members, bucket, folder, primary).expect("linked"))
        };
        let [a, bb] = [entry(&ids[0], Some("in-a"), true), entry(&ids[1], Some("in-bb"), false)];
        assert_eq!(link("ccc", None, false), [a, bb.clone(), entry("ccc", None, false)]);
        let demoted = entry(&ids[0], Some("in-a"), false);
        assert_eq!(link("ccc", None, true), [demoted.clone(), bb, entry("ccc", None, true)]);
        assert_eq!(link("bb", None, true), [demoted, entry(&ids[1], Some("in-bb"), true)]);
        let moved = entry(&ids[0], Some("else"), true);
        assert_eq!(link(&ids[0], Some("else"), false)[0], moved, "still the primary one");
    }

    #[test]
    fn only_a_bucket_that_is_there_can_be_taken_out() {
        let members = holding(&[("a", true), ("bb", false)]);
        let left = brief(&unlinked(&members, "bb").expect("unlinked"));
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].0, members[0].bucket_id.to_string());
        let said = unlinked(&members, "b").expect_err("not there").to_string();
        assert!(said.contains(r#"no bucket "b""#), "{said}");
    }
}
