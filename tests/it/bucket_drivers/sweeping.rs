//! What a crash leaves on a disk is cleared away when it is old enough, and nothing else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use repoplane::backend::buckets::{Attributes, BucketDriver, BucketError, Buckets, Part, Upload};
use repoplane::model::bucket::StorageType;

use super::{all, content, keys, loopback, target};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A bucket with an object, an upload of one part, and a file that never became an object.
struct Crashed {
    driver: Box<dyn BucketDriver>,
    folder: PathBuf,
    upload: Upload,
    part: Part,
    file: PathBuf,
}

impl Crashed {
    async fn on(buckets: &Buckets, disks: &Path, disk: &str) -> Self {
        let target = target(StorageType::S3, &format!("file:{disk}"));
        let driver = buckets.open(&target).await.expect("a bucket");
        let none = Attributes::default();
        driver.put("incoming/a", 6, &none, content("object")).await.expect("an object");
        let upload = driver.create_multipart("b", &none).await.expect("an upload");
        let part = driver.upload_part(&upload, 1, 4, content("part")).await.expect("a part");
        let folder = disks.join(target.workspace.to_string()).join(disk).join("b");
        let file = folder.join("incoming/Xy12Ab");
        fs::write(&file, "half of").expect("written");
        Self { driver, folder, upload, part, file }
    }

    fn uploads(&self) -> PathBuf {
        self.folder.join("uploads")
    }

    fn left(&self) -> [usize; 2] {
        [self.folder.join("incoming"), self.uploads()]
            .map(|folder| fs::read_dir(folder).expect("a folder").count())
    }

    async fn object_is_there(&self) {
        assert_eq!(keys(self.driver.as_ref()).await, ["incoming/a"]);
        let object = self.driver.get("incoming/a", None).await.expect("an object");
        assert_eq!(all(object).await, b"object");
    }
}

fn touched(path: &Path, at: SystemTime) {
    File::open(path).and_then(|file| file.set_modified(at)).expect("touched");
}

#[tokio::test]
async fn only_what_was_not_touched_for_long_goes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let disks = folder.path().join("disks");
    let buckets = Buckets::new(loopback(), disks.clone());
    assert_eq!(buckets.sweep_disks(SystemTime::now()).await.expect("no disks yet"), 0);
    let [one, two] =
        [Crashed::on(&buckets, &disks, "one").await, Crashed::on(&buckets, &disks, "two").await];

    let (now, upload) = (SystemTime::now(), one.uploads().join(&one.upload.id));
    // To the moment: what was touched just then stays.
    touched(&one.file, now - DAY);
    touched(&upload, now - DAY);
    assert_eq!(buckets.sweep_disks(now - DAY).await.expect("swept"), 0);
    assert_eq!([one.left(), two.left()], [[1, 1], [1, 1]]);
    let later = now - DAY + Duration::from_secs(1);
    touched(&upload, later);
    assert_eq!(buckets.sweep_disks(later).await.expect("swept"), 1);
    assert_eq!([one.left(), two.left()], [[0, 1], [1, 1]]);

    // A part is a touch of its upload, so that all of it stays, and can be completed.
    let part = one.driver.upload_part(&one.upload, 2, 3, content("two")).await.expect("a part");
    assert_eq!(buckets.sweep_disks(now - DAY / 2).await.expect("swept"), 0);
    one.driver.complete_multipart(&one.upload, &[one.part.clone(), part]).await.expect("an object");
    one.driver.delete("b").await.expect("deleted");

    assert_eq!(buckets.sweep_disks(now + DAY).await.expect("swept"), 2);
    for crashed in [&one, &two] {
        assert_eq!(crashed.left(), [0, 0]);
        crashed.object_is_there().await;
    }
    let error = two.driver.complete_multipart(&two.upload, std::slice::from_ref(&two.part)).await;
    assert!(matches!(error, Err(BucketError::NoSuchUpload)), "{error:?}");
    let upload = two.driver.create_multipart("b", &Attributes::default()).await;
    let upload = upload.expect("a bucket that works on");
    two.driver.upload_part(&upload, 1, 1, content("a")).await.expect("a part");
}

#[tokio::test]
async fn what_is_not_ours_or_cannot_be_read_stays_and_keeps_nothing_else() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let disks = folder.path().join("disks");
    let buckets = Buckets::new(loopback(), disks.clone());
    let crashed = Crashed::on(&buckets, &disks, "disk").await;
    let outside = folder.path().join("outside");
    fs::create_dir_all(outside.join("b/incoming")).expect("a folder");
    fs::write(outside.join("b/incoming/file"), "").expect("written");
    let workspace = crashed.folder.ancestors().nth(2).expect("a folder");
    std::os::unix::fs::symlink(&outside, workspace.join("link")).expect("a link");
    fs::write(workspace.join("no-disk"), "").expect("written");
    fs::create_dir(crashed.folder.join("incoming/folder")).expect("a folder");
    fs::write(crashed.uploads().join("file"), "").expect("written");
    // Where a folder should be, so that it cannot be read as one.
    fs::create_dir_all(workspace.join("broken/b")).expect("a folder");
    fs::write(workspace.join("broken/b/incoming"), "").expect("written");

    let error = buckets.sweep_disks(SystemTime::now() + DAY).await.expect_err("a broken disk");
    assert!(matches!(error, BucketError::Unreachable(_)), "{error:?}");
    assert!(!crashed.file.exists() && !crashed.uploads().join(&crashed.upload.id).exists());
    assert!(outside.join("b/incoming/file").exists());
    assert_eq!(crashed.left(), [1, 1]);
    crashed.object_is_there().await;
}
