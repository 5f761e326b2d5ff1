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
