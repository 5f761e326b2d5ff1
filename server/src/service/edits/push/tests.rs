//! What a push may do to refs, and what not.

use super::*;
use crate::model::access::OrgRole;
use crate::model::id::{OrgId, TokenId, UserId};
use crate::model::token::RepoAccess;
use crate::model::token::TokenKind;

fn target(byte: u8) -> Target {
    Target::from_bytes([byte; Target::BYTES])
}

fn refs(known: &[(&str, u8)]) -> Refs {
    known.iter().map(|(name, byte)| ((*name).to_owned(), target(*byte))).collect()
}

fn update(name: &str, old: u8, new: u8) -> (RefUpdate, Option<Kind>) {
    let some = |byte: u8| (byte != 0).then(|| target(byte));
    let update = RefUpdate { name: name.to_owned(), old: some(old), new: some(new) };
    (update, Some(Kind::Commit))
}

fn order(updates: Vec<(RefUpdate, Option<Kind>)>) -> Order {
    let caller = Caller {
        token: TokenId::new(),
        kind: TokenKind::Account,
        access: RepoAccess::Write,
        user: UserId::new(),
        org: OrgId::new(),
        org_role: OrgRole::Owner,
        name: String::new(),
        email: String::new(),
    };
    let workspace = WorkspaceId::new();
    Order {
        updates,
        atomic: false,
        vacant: None,
        arrived: Arrived::default(),
        changed_files: None,
        metadata: None,
        caller,
        workspace,
        auto_index: false,
    }
}

/// Which of the updates happen, and what is left.
fn outcome(known: &[(&str, u8)], order: &Order) -> (Vec<bool>, Refs) {
    let mut refs = refs(known);
    let outcomes = decide(&mut refs, order);
    (outcomes.iter().map(Result::is_ok).collect(), refs)
}

const MAIN: &str = DEFAULT_BRANCH;

#[test]
fn a_ref_moves_only_from_where_the_client_saw_it() {
    let known = [(MAIN, 1), ("refs/heads/a", 2)];
    for (update, expected) in [
        (update(MAIN, 1, 9), true),
        (update(MAIN, 2, 9), false),
        (update(MAIN, 0, 9), false),
        (update("refs/heads/b", 0, 9), true),
        (update("refs/heads/b", 1, 9), false),
        (update("refs/heads/a", 0, 9), false),
        (update("refs/heads/a", 2, 0), true),
        (update("refs/heads/a", 1, 0), false),
        (update("refs/heads/b", 0, 0), false),
        (update("refs/heads/b", 1, 0), false),
        (update(MAIN, 1, 0), false),
    ] {
        let (happened, after) = outcome(&known, &order(vec![update.clone()]));
        assert_eq!(happened, [expected], "{update:?}");
        assert_eq!(after == refs(&known), !expected, "{update:?}");
    }
}

#[test]
fn an_empty_first_commit_makes_room_for_any_history() {
    let order = Order { vacant: Some(target(1)), ..order(vec![update(MAIN, 0, 9)]) };
    assert_eq!(outcome(&[(MAIN, 1)], &order), (vec![true], refs(&[(MAIN, 9)])));
    // Somebody was faster.
    assert_eq!(outcome(&[(MAIN, 2)], &order), (vec![false], refs(&[(MAIN, 2)])));
    let other = Order {
        vacant: Some(target(1)),
        ..super::tests::order(vec![update("refs/heads/a", 0, 9)])
    };
    assert_eq!(outcome(&[(MAIN, 1), ("refs/heads/a", 1)], &other).0, [false]);
}

#[test]
fn all_or_none_when_asked_for() {
    let known = [(MAIN, 1)];
    let updates = vec![update("refs/heads/a", 0, 9), update(MAIN, 7, 9)];
    let (happened, _) = outcome(&known, &order(updates.clone()));
    assert_eq!(happened, [true, false]);
    let (happened, after) = outcome(&known, &Order { atomic: true, ..order(updates) });
    assert_eq!((happened, after), (vec![false, false], refs(&known)));
}

#[test]
fn no_ref_is_where_another_has_its_folder() {
    let known = [(MAIN, 1), ("refs/heads/a/b", 2), ("refs/heads/c", 3)];
    for name in ["refs/heads/a", "refs/heads/c/d", "refs/heads/main/x", "refs/heads/a/b/c/d"] {
        assert_eq!(outcome(&known, &order(vec![update(name, 0, 9)])).0, [false], "{name}");
    }
    for name in ["refs/heads/a.b", "refs/heads/a/c", "refs/heads/c-d", "refs/tags/a"] {
        assert_eq!(outcome(&known, &order(vec![update(name, 0, 9)])).0, [true], "{name}");
    }
    let replaced = vec![update("refs/heads/c/d", 0, 9), update("refs/heads/c", 3, 0)];
    assert_eq!(outcome(&known, &order(replaced)).0, [true, true]);
}

#[test]
fn names_and_kinds_that_no_ref_may_have() {
    let long = format!("refs/heads/{}", "x".repeat(REF_BYTES_MAX));
    for name in [
        "HEAD",
        "main",
        "",
        "refs",
        "refs/",
        "refs/heads",
        "refs/heads/",
        "refs/remotes/x/y",
        "refs/pull/1/head",
        "refs/replace/1",
        "refs/repoplane/x",
        "refs/heads/../x",
        "refs/heads/.x",
        "refs/heads/x.lock",
        "refs/heads/x..y",
        "refs/heads/x y",
        "refs/heads/x~1",
        "refs/heads/x^",
        "refs/heads/x:y",
        "refs/heads/x?",
        "refs/heads/x*",
        "refs/heads/x[",
        "refs/heads/x\\y",
        "refs/heads//x",
        "refs/heads/x/",
        "refs/heads/x.",
        "refs/heads/@{x",
        "refs/heads/x\u{7f}",
        "refs/heads/x\n",
        "refs/heads/x\0",
        "refs/tags/..",
        "../refs/heads/x",
        "/refs/heads/x",
        &long,
    ] {
        assert_eq!(outcome(&[(MAIN, 1)], &order(vec![update(name, 0, 9)])).0, [false], "{name}");
    }
    for (name, kind, expected) in [
        ("refs/heads/a", Some(Kind::Tag), false),
        ("refs/heads/a", Some(Kind::Tree), false),
        ("refs/heads/a", Some(Kind::Blob), false),
        ("refs/heads/a", None, false),
        ("refs/tags/a", None, false),
        ("refs/tags/a", Some(Kind::Tag), true),
        ("refs/tags/a", Some(Kind::Blob), true),
        ("refs/notes/a", Some(Kind::Tag), false),
        ("refs/notes/a", Some(Kind::Commit), true),
    ] {
        let (update, _) = update(name, 0, 9);
        let (happened, _) = outcome(&[(MAIN, 1)], &order(vec![(update, kind)]));
        assert_eq!(happened, [expected], "{name} {kind:?}");
    }
}
