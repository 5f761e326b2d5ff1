//! One test per rule of the edit semantics, on a repo in memory.

use bytes::Bytes;
use gix::bstr::ByteSlice;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::*;
use crate::backend::git::tree::Entry;
use crate::backend::git::walk::files_at;
use crate::model::edit::FileMode;
use crate::model::file_path::FilePath;

struct Memory(Vec<Object>);

impl ObjectSource for Memory {
    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        Ok(self.0.iter().find(|object| object.id == *id).cloned())
    }
}

struct Repo {
    objects: Memory,
    head: CommitId,
}

impl Repo {
    /// Files hold their own name, unless `path=content`.
    fn new(files: &[&str]) -> Self {
        let (head, objects) = commit::build_first(&identity(), "Start", 0).unwrap();
        let mut repo = Self { objects: Memory(objects.into()), head };
        repo.edit(files.iter().map(|file| write(file)).collect()).unwrap();
        repo
    }

    fn edit(&mut self, operations: Vec<Operation>) -> Result<Vec<String>, EditError> {
        self.apply(&Edit { source: Some(Change::Operations(operations)), ..Edit::default() })
    }

    fn replace(&mut self, files: &[&str]) -> Result<Vec<String>, EditError> {
        self.apply(&Edit {
            source: Some(Change::Replace(files.iter().map(|file| file_write(file)).collect())),
            ..Edit::default()
        })
    }

    fn apply(&mut self, edit: &Edit) -> Result<Vec<String>, EditError> {
        let stamp = Stamp {
            author: identity(),
            committer: identity(),
            message: "Edit files".into(),
            seconds: 0,
        };
        let mut objects = Objects::new(&self.objects);
        let outcome = apply(&mut objects, self.head, edit, &stamp);
        let new = objects.into_new();
        assert!(outcome.is_ok() || new.is_empty(), "a failed edit leaves nothing behind");
        self.objects.0.extend(new);
        let outcome = outcome?;
        self.head = outcome.head;
        Ok(outcome.changed_files)
    }

    /// As `path=content`, with `*` before executables.
    fn files(&self) -> Vec<String> {
        let show = |file: crate::backend::git::walk::File| {
            let star = if file.mode == FileMode::Executable { "*" } else { "" };
            format!("{star}{}={}", file.path, file.content.as_bstr())
        };
        files_at(&self.objects, self.head).unwrap().map(|file| show(file.unwrap())).collect()
    }

    /// Puts leaves that only a push can bring.
    fn plant(&mut self, path: &str, mode: EntryKind) {
        let root = self.objects.read(&self.head.into()).unwrap().root_tree().unwrap();
        let target = Object::new(Kind::Blob, "anywhere").unwrap();
        let mut new = Vec::new();
        let mut tree = Tree::open(&self.objects, root).unwrap();
        tree.insert(path.into(), Entry { mode: mode.into(), id: target.id }).unwrap();
        let tree = tree.write(&mut new).unwrap();
        let (author, parents) = (identity(), [self.head]);
        let draft = Draft {
            tree,
            parents: &parents,
            author: &author,
            committer: &author,
            message: "",
            seconds: 0,
        };
        let commit = commit::build(&draft).unwrap();
        self.head = commit.id.into();
        self.objects.0.extend(new.into_iter().chain([target, commit]));
    }
}

fn identity() -> Identity {
    Identity { name: "A".into(), email: "a@example.com".into() }
}

fn path(path: &str) -> FilePath {
    FilePath::new(path).unwrap()
}

fn file_write(file: &str) -> FileWrite {
    let (file, mode) =
        file.strip_prefix('*').map_or((file, None), |file| (file, Some(FileMode::Executable)));
    let (name, content) = file.split_once('=').unwrap_or((file, file));
    FileWrite { path: path(name), content: Bytes::copy_from_slice(content.as_bytes()), mode }
}

fn write(file: &str) -> Operation {
    Operation::Write(file_write(file))
}

fn delete(at: &str) -> Operation {
    Operation::Delete { path: path(at) }
}

fn rename(from: &str, to: &str) -> Operation {
    Operation::Rename { from: path(from), to: path(to) }
}

#[track_caller]
fn assert_conflict(result: Result<Vec<String>, EditError>, at: &str) {
    assert!(matches!(&result, Err(EditError::Conflict { path, .. }) if path == at), "{result:?}");
}

#[track_caller]
fn assert_not_found(result: Result<Vec<String>, EditError>, at: &str) {
    assert!(matches!(&result, Err(EditError::NotFound { path, .. }) if path == at), "{result:?}");
}

#[test]
fn phases_run_as_deletes_writes_renames() {
    let mut repo = Repo::new(&["a", "b"]);
    assert_eq!(repo.edit(vec![write("a=new"), delete("a")]).unwrap(), ["a"]);
    assert_eq!(repo.files(), ["a=new", "b=b"]);
    assert_eq!(repo.edit(vec![rename("a", "c"), write("a=newer")]).unwrap(), ["c", "a"]);
    assert_eq!(repo.files(), ["b=b", "c=newer"]);
    assert_eq!(repo.edit(vec![write("d"), rename("d", "x/e")]).unwrap(), ["x/e"]);
    assert_eq!(repo.edit(vec![write("x/y/f"), write("x/e=e")]).unwrap(), ["x/y/f", "x/e"]);
    assert_eq!(repo.edit(vec![delete("x/e"), write("x/y/f=2")]).unwrap(), ["x/e", "x/y/f"]);
    assert_eq!(repo.files(), ["b=b", "c=newer", "x/y/f=2"]);
}

#[test]
fn the_last_write_and_the_last_rename_count() {
    let mut repo = Repo::new(&["a"]);
    repo.edit(vec![write("b=1"), rename("a", "c"), write("b=2"), rename("a", "d")]).unwrap();
    assert_eq!(repo.files(), ["b=2", "d=a"]);
}

#[test]
fn swaps_and_chains_of_renames_lose_nothing() {
    let mut repo = Repo::new(&["a", "b", "c"]);
    assert_eq!(repo.edit(vec![rename("a", "b"), rename("b", "a")]).unwrap(), ["b", "a"]);
    assert_eq!(repo.files(), ["a=b", "b=a", "c=c"]);
    repo.edit(vec![rename("a", "b"), rename("b", "c"), rename("c", "d/a")]).unwrap();
    assert_eq!(repo.files(), ["b=b", "c=a", "d/a=c"]);
    repo.edit(vec![rename("d/a", "d")]).unwrap();
    assert_eq!(repo.files(), ["b=b", "c=a", "d=c"]);
    repo.edit(vec![rename("b", "c")]).unwrap();
    assert_eq!(repo.files(), ["c=b", "d=c"], "a rename goes over a file that stays");
}

#[test]
fn what_is_missing_is_named() {
    let mut repo = Repo::new(&["a", "d/x"]);
    assert_not_found(repo.edit(vec![write("b"), delete("b")]), "b");
    assert_not_found(repo.edit(vec![delete("a/x")]), "a/x");
    assert_not_found(repo.edit(vec![delete("a"), rename("a", "b")]), "a");
    assert_eq!(repo.files(), ["a=a", "d/x=d/x"]);
}

#[test]
fn a_directory_goes_with_all_it_holds() {
    let mut repo = Repo::new(&["d/b", "d.txt", "d/a/x", "e"]);
    let edit = vec![delete("d"), delete("d/b"), write("d/a/x"), write("d/n")];
    assert_eq!(repo.edit(edit).unwrap(), ["d/b", "d/n"]);
    assert_eq!(repo.files(), ["d.txt=d.txt", "d/a/x=d/a/x", "d/n=d/n", "e=e"]);
    assert_eq!(repo.edit(vec![delete("d"), write("d")]).unwrap(), ["d/a/x", "d/n", "d"]);
    assert_eq!(repo.files(), ["d=d", "d.txt=d.txt", "e=e"]);
}

#[test]
fn files_and_directories_never_replace_each_other() {
    let mut repo = Repo::new(&["a", "d/x"]);
    assert_conflict(repo.edit(vec![write("a/x")]), "a/x");
    assert_conflict(repo.edit(vec![write("d")]), "d");
    assert_conflict(repo.edit(vec![write("n"), write("n/x")]), "n/x");
    assert_conflict(repo.edit(vec![rename("a", "d")]), "d");
    assert_conflict(repo.edit(vec![write("b"), rename("a", "c"), rename("b", "c")]), "c");
    assert_conflict(repo.replace(&["n", "n/x"]), "n/x");
    assert_eq!(repo.files(), ["a=a", "d/x=d/x"]);
}

#[test]
fn a_directory_cannot_be_renamed() {
    let mut repo = Repo::new(&["d/x"]);
    for edit in [vec![rename("d", "e")], vec![write("d/y"), rename("d", "e")]] {
        let result = repo.edit(edit);
        assert!(matches!(&result, Err(EditError::Directory { path }) if path == "d"), "{result:?}");
    }
    assert_eq!(repo.files(), ["d/x=d/x"]);
}

#[test]
fn a_replacement_is_the_whole_content() {
    let mut repo = Repo::new(&["a", "d/x", "d/y", "*run"]);
    repo.plant("link", EntryKind::Link);
    repo.plant("sub", EntryKind::Commit);
    let changed = repo.replace(&["run", "new=1", "d=2", "sub", "new=3"]).unwrap();
    assert_eq!(changed, ["new", "d", "sub", "a", "d/x", "d/y", "link"]);
    assert_eq!(repo.files(), ["d=2", "new=3", "*run=run", "sub=sub"]);
    assert_eq!(repo.replace(&[]).unwrap(), ["d", "new", "run", "sub"]);
    assert!(repo.files().is_empty());
}

#[test]
fn what_changes_nothing_keeps_the_head() {
    let mut repo = Repo::new(&["a", "b=a", "*run"]);
    let head = repo.head;
    for edit in [
        vec![],
        vec![write("a"), write("run")],
        vec![delete("a"), write("a")],
        vec![rename("a", "b"), rename("b", "a")],
    ] {
        assert!(repo.edit(edit).unwrap().is_empty());
        assert_eq!(repo.head, head);
    }
    assert!(repo.replace(&["run", "b=a", "a"]).unwrap().is_empty());
    assert_eq!(repo.head, head);
    assert_eq!(repo.edit(vec![rename("a", "b")]).unwrap(), ["b"], "only the old name differs");
}

#[test]
fn modes_stay_unless_asked_for() {
    let mut repo = Repo::new(&["*run", "plain"]);
    repo.edit(vec![write("run=2"), rename("run", "bin/run"), write("*plain")]).unwrap();
    assert_eq!(repo.files(), ["*bin/run=2", "*plain=plain"]);
}

#[test]
fn symlinks_and_submodules_are_leaves() {
    let mut repo = Repo::new(&["a"]);
    repo.plant("link", EntryKind::Link);
    repo.plant("sub", EntryKind::Commit);
    assert_conflict(repo.edit(vec![write("link/x")]), "link/x");
    assert_conflict(repo.edit(vec![write("sub/x")]), "sub/x");
    assert_conflict(repo.edit(vec![write("sub")]), "sub");
    assert_not_found(repo.edit(vec![delete("link/x")]), "link/x");
    assert!(matches!(
        repo.edit(vec![rename("link", ".gitmodules")]),
        Err(EditError::PathInvalid { .. })
    ));
    assert_eq!(repo.edit(vec![write("link=plain"), delete("sub")]).unwrap(), ["link", "sub"]);
    assert_eq!(repo.files(), ["a=a", "link=plain"]);
}

#[test]
fn the_head_can_be_a_condition() {
    let mut repo = Repo::new(&["a"]);
    let expected_head = Some(repo.head);
    let source = Some(Change::Operations(vec![write("b")]));
    let edit = Edit { source, expected_head, ..Edit::default() };
    repo.apply(&edit).unwrap();
    assert!(
        matches!(repo.apply(&edit), Err(EditError::HeadMoved { head, .. }) if head == repo.head)
    );
}

#[test]
fn users_words_cannot_break_a_commit() {
    let mut repo = Repo::new(&["a"]);
    let author = Some(Identity { name: "\n<E>ve\0 ".into(), email: "<>".into() });
    let source = Some(Change::Operations(vec![write("b")]));
    repo.apply(&Edit {
        source,
        author,
        message: Some("Say\0 it\n\n\n".into()),
        expected_head: None,
    })
    .unwrap();
    let commit = repo.objects.read(&repo.head.into()).unwrap();
    let text = commit.data.to_str().unwrap();
    assert!(
        text.ends_with("\nauthor Eve <> 0 +0000\ncommitter A <a@example.com> 0 +0000\n\nSay it\n"),
        "{text}"
    );
}

#[test]
fn limits_are_checked_before_anything_else() {
    let mut repo = Repo::new(&["a"]);
    let huge =
        FileWrite { path: path("b"), content: vec![0; FILE_BYTES_MAX + 1].into(), mode: None };
    assert!(matches!(repo.edit(vec![Operation::Write(huge)]), Err(EditError::TooLarge { .. })));
    let many = vec![delete("a"); OPERATIONS_MAX + 1];
    assert!(matches!(repo.edit(many), Err(EditError::TooMany { .. })));
    let message = |length| Some("ü".repeat(length));
    let too_long = Edit { message: message(MESSAGE_CHARS_MAX + 1), ..Edit::default() };
    assert!(matches!(repo.apply(&too_long), Err(EditError::TooMany { .. })));
    let longest = Edit { message: message(MESSAGE_CHARS_MAX), ..Edit::default() };
    assert_eq!(repo.apply(&longest).unwrap(), [""; 0]);
}
