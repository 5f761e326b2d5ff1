//! Patches of any kind of text: what was written comes back, and what nobody wrote does no harm.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use repoplane::model::patch::{FilePatch, parse};

fn runner() -> TestRunner {
    let cases = if std::env::var_os("TEST_LONG").is_some() { 200_000 } else { 2_000 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Lines of few kinds, some of which look like parts of a patch; the last one may have no end.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "",
        "a",
        "b",
        "-",
        "+",
        " ",
        "--- a/x",
        "+++ b/x",
        "@@ -1 +1 @@",
        "\\ x",
        "ü\r",
        "diff --git a/x b/x",
    ]);
    let text = prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"));
    (text, any::<bool>()).prop_map(|(text, ended)| if ended { text + "\n" } else { text })
}

/// All lines go, and all come; with `context`, those that both begin with stay.
fn written(old: &str, new: &str, context: bool) -> String {
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    let same = old.iter().zip(&new).take_while(|(a, b)| context && a == b).count();
    let range = |lines: &[String]| match lines.len() {
        0 => "0,0".to_owned(),
        length => format!("1,{length}"),
    };
    let mut text = format!("--- a/x\n+++ b/x\n@@ -{} +{} @@\n", range(&old), range(&new));
    let kept = old[..same].iter().map(|line| (' ', line));
    let gone = old[same..].iter().map(|line| ('-', line));
    let come = new[same..].iter().map(|line| ('+', line));
    for (side, line) in kept.chain(gone).chain(come) {
        text.push(side);
        text += line;
        if !line.ends_with('\n') {
            text += "\n\\ No newline at end of file\n";
        }
    }
    text
}

#[test]
fn a_patch_leads_from_one_text_to_the_other() {
    let texts = (text(), text(), text(), any::<bool>());
    let outcome = runner().run(&texts, |(old, new, other, context)| {
        prop_assume!(old != new);
        let patch = written(&old, &new, context);
        let files =
            parse(&patch).map_err(|error| TestCaseError::fail(format!("{error}\n{patch}")))?;
        prop_assert_eq!(files.len(), 1, "{}", patch);
        let applied = files[0].apply(old.as_bytes());
        prop_assert_eq!(applied.as_deref(), Ok(new.as_bytes()), "{}", patch);
        if let Ok(applied) = files[0].apply(other.as_bytes()) {
            prop_assert!(other.starts_with(&old) || old.is_empty(), "{:?} {:?}", applied, patch);
        }
        Ok(())
    });
    outcome.expect("every patch");
}

#[test]
fn what_is_no_patch_is_refused_or_applied_and_never_panics() {
    let damage = (
        any::<Index>(),
        any::<Index>(),
        prop::sample::select(vec![
            "",
            "\n",
            "-",
            "+",
            "@@ -",
            "@@ -0,0 +1 @@\n",
            "@@ -99999999999999999999 +1 @@\n",
            "\"",
            "\\",
            "\u{fffd}",
            "rename from x\n",
            "new file mode 100644\n",
            "@@ -18446744073709551615,1 +1 @@\n-a\n+b\n",
        ]),
    );
    let texts = (text(), text(), prop::collection::vec(damage, 0..4));
    let outcome = runner().run(&texts, |(old, new, damages)| {
        let mut patch = format!("diff --git a/x b/x\n{}", written(&old, &new, true));
        for (from, to, with) in damages {
            let places: Vec<usize> =
                patch.char_indices().map(|(at, _)| at).chain([patch.len()]).collect();
            let first = from.index(places.len());
            let last = (first + to.index(9)).min(places.len() - 1);
            patch.replace_range(places[first]..places[last], with);
        }
        let files: Vec<FilePatch> = parse(&patch).unwrap_or_default();
        for file in files {
            let _ = (file.apply(old.as_bytes()), file.apply(new.as_bytes()), file.bytes());
        }
        Ok(())
    });
    outcome.expect("no panic");
}
