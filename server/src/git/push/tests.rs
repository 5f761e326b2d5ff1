//! What is read from the commands of a push, and what is none.

#[path = "../../../../tests/it/fuzz/mutants.rs"]
mod mutants;

use futures::StreamExt as _;
use mutants::Mutants;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn frames(lines: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    lines.iter().for_each(|line| pkt::write(&mut bytes, line));
    bytes.extend_from_slice(pkt::FLUSH);
    bytes
}

#[tokio::test]
async fn commands_end_where_the_pack_begins() {
    let first =
        format!("{NOWHERE} {A} refs/heads/a\0 report-status side-band-64k atomic agent=git/2");
    let shallow = format!("shallow {A}");
    let second = format!("{A} {NOWHERE} refs/heads/ü b\n");
    let mut bytes = frames(&[shallow.as_bytes(), first.as_bytes(), second.as_bytes()]);
    bytes.extend_from_slice(b"PACK");
    let mut rest = &bytes[..];
    let found = commands(&mut rest).await.expect("commands").expect("some");
    assert_eq!(rest, b"PACK");
    let target = A.parse().expect("a target");
    assert_eq!(
        found.updates,
        [
            RefUpdate { name: "refs/heads/a".to_owned(), old: None, new: Some(target) },
            RefUpdate { name: "refs/heads/ü b".to_owned(), old: Some(target), new: None },
        ]
    );
    assert!(found.wishes.atomic && found.wishes.bands && found.wishes.report);
    assert!(commands(&mut &b"0000"[..]).await.expect("a probe").is_none());
}

#[tokio::test]
async fn what_is_no_command_is_refused() {
    let long = vec![b'x'; 60_000];
    for line in [
        &b""[..],
        b"\n",
        b"\0",
        b"shallow",
        b"push-cert\0 report-status",
        b"aaaa bbbb refs/heads/a",
        A.as_bytes(),
        format!("{A} {A}").as_bytes(),
        format!("{A}\t{A}\trefs/heads/a").as_bytes(),
        format!("{A} {}g refs/heads/a", &A[1..]).as_bytes(),
        format!("{A} {A}a refs/heads/a").as_bytes(),
        &[A.as_bytes(), b" ", A.as_bytes(), b" refs/heads/\xff"].concat(),
        &long,
    ] {
        let found = commands(&mut &frames(&[line])[..]).await;
        let kind = found.map(drop).expect_err("a refusal").kind();
        assert_eq!(kind, ErrorKind::InvalidInput, "{:?}", String::from_utf8_lossy(line));
    }
    let line = format!("{A} {A} refs/heads/a");
    let many = vec![line.as_bytes(); UPDATES_MAX + 1];
    assert!(commands(&mut &frames(&many)[..]).await.is_err());
    assert!(commands(&mut &frames(&many[1..])[..]).await.is_ok());
}

#[tokio::test]
async fn who_waits_for_the_report_hears_that_it_will_come() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let report = async { told.await.expect("it is told") };
    let mut pieces = patient(report, Duration::from_millis(1)).into_data_stream();
    for _ in 0..3 {
        let piece = pieces.next().await.expect("a piece").expect("no error");
        assert_eq!(pkt::read(&mut &piece[..]).await.expect("a frame"), Some(vec![1]));
    }
    tell.send(b"the report".to_vec()).expect("somebody listens");
    let rest: Vec<_> = pieces.map(|piece| piece.expect("no error")).collect().await;
    assert_eq!(rest.last().expect("the report"), &b"the report"[..]);
}

/// Bytes that somebody else thought of are refused, or mean what they say.
#[tokio::test]
async fn damaged_commands_are_refused_or_come_back() {
    let create =
        format!("{NOWHERE} {A} refs/heads/a\0 report-status side-band-64k atomic agent=git/2");
    let (shallow, delete) = (format!("shallow {A}"), format!("{A} {NOWHERE} refs/heads/ü b\n"));
    let examples = vec![
        frames(&[create.as_bytes()]),
        frames(&[shallow.as_bytes(), create.as_bytes(), delete.as_bytes()]),
        frames(&[delete.as_bytes(), delete.as_bytes(), b"x"]),
        frames(&[]),
    ];
    let (mut mutants, mut accepted) = (Mutants::of(examples, 20_000), 0);
    for (_, bytes) in mutants.by_ref() {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let found = match commands(&mut &bytes[..]).await {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(error) => {
                use ErrorKind::{InvalidInput, QuotaExceeded, UnexpectedEof};
                let kind = error.kind();
                assert!([InvalidInput, QuotaExceeded, UnexpectedEof].contains(&kind), "{shown}");
                continue;
            }
        };
        accepted += 1;
        assert!((1..=UPDATES_MAX).contains(&found.updates.len()), "{shown}");
        let mut again = Vec::new();
        for (number, update) in found.updates.iter().enumerate() {
            let text =
                |target: Option<Target>| target.map_or(NOWHERE.to_owned(), |id| id.to_string());
            let mut line = format!("{} {} {}\n", text(update.old), text(update.new), update.name);
            if number == 0 {
                let Wishes { report, bands, atomic } = found.wishes;
                let words =
                    [(report, "report-status"), (bands, "side-band-64k"), (atomic, "atomic")];
                let words = words.into_iter().filter(|(is_wished, _)| *is_wished);
                line += "\0";
                line += &words.map(|(_, word)| word).collect::<Vec<_>>().join(" ");
            }
            pkt::write(&mut again, line.as_bytes());
        }
        again.extend_from_slice(pkt::FLUSH);
        let same = commands(&mut &again[..]).await.expect("commands").expect("some");
        assert_eq!((same.updates, same.wishes), (found.updates, found.wishes), "{shown}");
    }
    mutants.tell(accepted);
}

proptest::proptest! {
    /// A command that is written down is read as it was.
    #[test]
    fn commands_come_back(
        old in proptest::option::of(proptest::array::uniform20(0_u8..)),
        new in proptest::option::of(proptest::array::uniform20(0_u8..)),
        name in "[^\0]{0,60}",
        ended in 0_usize..2,
    ) {
        let target = |bytes: Option<[u8; 20]>| bytes.map(Target::from_bytes);
        let (old, new) = (target(old), target(new));
        let text = |target: Option<Target>| target.map_or(NOWHERE.to_owned(), |id| id.to_string());
        let line = format!("{} {} {name}{}", text(old), text(new), ["", "\n"][ended]);
        let bytes = frames(&[line.as_bytes()]);
        let found = futures::executor::block_on(commands(&mut &bytes[..])).expect("commands");
        let name = if ended == 0 { name.strip_suffix('\n').unwrap_or(&name) } else { &name };
        let nowhere = |target: Option<Target>| target.filter(|id| id.to_string() != NOWHERE);
        let expected = RefUpdate { name: name.to_owned(), old: nowhere(old), new: nowhere(new) };
        proptest::prop_assert_eq!(found.expect("some").updates, [expected]);
    }
}
