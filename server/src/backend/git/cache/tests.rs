//! The cache keeps what it is given, notices what it lost, and is a repository to real git.

use gix::objs::Kind;

use std::process::Command;

use super::files::loose_name;
use super::recent::RECENT_BYTES_MAX;
use super::*;
use crate::backend::git::pack::write_pack;

fn blob(content: &str) -> Object {
    Object::new(Kind::Blob, content.to_owned()).unwrap()
}

fn cache() -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::open_or_create(&dir.path().join("repo.git")).unwrap();
    (dir, cache)
}

#[test]
fn a_new_cache_is_empty_and_remembers_what_it_is_told() {
    let (_dir, cache) = cache();
    assert_eq!((cache.head().unwrap(), cache.seq().unwrap()), (None, 0));
    let object = blob("x");
    assert!(!cache.has(&object.id).unwrap());
    cache.put(std::slice::from_ref(&object)).unwrap();
    cache.set_ref(DEFAULT_BRANCH, Some(object.id)).unwrap();
    cache.set_seq(7);
    assert_eq!((cache.head().unwrap(), cache.seq().unwrap()), (Some(object.id), 7));

    let again = Cache::open_or_create(cache.flushed_dir().unwrap()).unwrap();
    assert_eq!((again.head().unwrap(), again.seq().unwrap()), (Some(object.id), 7));
    assert!(again.has(&object.id).unwrap());
    assert_eq!(again.read(&object.id).unwrap(), object);
}

#[test]
fn damaged_and_missing_objects_break_the_cache() {
    let (_dir, cache) = cache();
    let object = blob(&"content ".repeat(1000));
    let file = cache.files.0.join(loose_name(&object.id));
    let broken = || matches!(cache.read(&object.id), Err(ObjectError::CacheBroken(_)));
    assert!(broken());
    cache.put(&[object.clone(), blob("other")]).unwrap();
    cache.flush().unwrap();
    assert!(!broken());
    let whole = fs::read(&file).unwrap();
    for bad in [
        Vec::new(),
        whole[..1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        vec![0; whole.len()],
        vec![b'x'; 50],
    ] {
        fs::write(&file, bad).unwrap();
        assert!(broken());
    }
    fs::copy(cache.files.0.join(loose_name(&blob("other").id)), &file).unwrap();
    assert!(broken(), "an object under a wrong name");
    fs::write(cache.files.0.join(SEQ_FILE), "").unwrap();
    assert!(matches!(cache.seq(), Err(ObjectError::CacheBroken(_))));
    fs::write(cache.files.0.join(DEFAULT_BRANCH), "").unwrap();
    assert!(matches!(cache.head(), Err(ObjectError::CacheBroken(_))));
}

#[test]
fn packs_are_read_like_loose_objects() {
    let (_dir, cache) = cache();
    let objects: Vec<_> = (0..20).map(|n| blob(&format!("number {n}"))).collect();
    cache.install_pack(&mut write_pack(&objects).as_slice()).unwrap();
    for object in &objects {
        assert!(cache.has(&object.id).unwrap());
        assert_eq!(cache.read(&object.id).unwrap(), *object);
    }
    let refused = cache.install_pack(&mut b"PACK, but not really".as_slice());
    assert!(matches!(refused, Err(ObjectError::PackRefused(_))));
}

#[test]
fn much_at_once_becomes_a_pack_that_git_accepts() {
    let (_dir, cache) = cache();
    let objects: Vec<_> =
        (0..=PENDING_OBJECTS_MAX).map(|n| blob(&n.to_string().repeat(n))).collect();
    cache.put(&objects).unwrap();
    let again = Cache::open_or_create(&cache.files.0).unwrap();
    assert!(objects.iter().all(|object| again.read(&object.id).unwrap() == *object));
    let packs: Vec<_> =
        again.packs.known().iter().map(|pack| pack.index.path().to_owned()).collect();
    assert_eq!(packs.len(), 1);
    let verified = Command::new("git").args(["verify-pack", "--"]).args(&packs).status().unwrap();
    assert!(verified.success());
}

#[test]
fn damaged_packs_break_the_cache_and_nothing_worse() {
    let (_dir, cache) = cache();
    let objects: Vec<_> = (0..50).map(|n| blob(&format!("number {n} ").repeat(n))).collect();
    cache.install_pack(&mut write_pack(&objects).as_slice()).unwrap();
    let index = cache.packs.known()[0].index.path().to_owned();
    for file in [index.with_extension("pack"), index] {
        let whole = fs::read(&file).unwrap();
        let replace = |bad: &[u8]| {
            fs::remove_file(&file).unwrap();
            fs::write(&file, bad).unwrap();
        };
        let mut sound = 0;
        for at in (0..whole.len()).step_by(7) {
            let mut bad = whole.clone();
            bad[at..].iter_mut().take(40).for_each(|byte| *byte = 0);
            for bad in [&bad[..], &whole[..at]] {
                replace(bad);
                let Ok(cache) = Cache::open_or_create(&cache.files.0) else {
                    continue;
                };
                let intact =
                    |object: &&Object| cache.read(&object.id).is_ok_and(|read| read == **object);
                sound += objects.iter().filter(intact).count();
            }
        }
        replace(&whole);
        assert!(sound > 0, "what is not damaged stays readable");
    }
}

#[test]
fn refs_come_and_go_without_leaving_folders_in_the_way() {
    let (_dir, cache) = cache();
    let id = blob("x").id;
    for (name, target) in [("a/b", Some(id)), ("a/b", None), ("a", Some(id)), ("absent", None)] {
        cache.set_ref(&format!("refs/heads/{name}"), target).unwrap();
        cache.flush().unwrap();
    }
    for name in ["HEAD", "refs/../config", "refs/heads/a.lock", "../x", "refs/heads/"] {
        assert!(cache.set_ref(name, Some(id)).is_err(), "{name}");
    }
    assert!(cache.files.0.join("refs/heads").is_dir());
}

#[test]
fn memory_of_recent_trees_is_bounded() {
    let mut recent = Recent::default();
    let trees: Vec<_> =
        (0..40).map(|n| Object::new(Kind::Tree, vec![n; RECENT_BYTES_MAX / 10]).unwrap()).collect();
    trees.iter().for_each(|tree| recent.put(tree));
    let kept: usize = trees
        .iter()
        .filter(|tree| recent.get(&tree.id).is_some())
        .map(|tree| tree.data.len())
        .sum();
    assert!((1..=RECENT_BYTES_MAX).contains(&kept), "{kept}");
    recent.put(&blob("x"));
    assert!(recent.get(&blob("x").id).is_none());
}
