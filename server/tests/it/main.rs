//! The binary is there. Cargo builds a package's binary for the package's own integration
//! tests only, so this one is also why the workspace's tests find it up to date.

use std::process::Command;

#[test]
fn the_binary_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_repoplane")).arg("--version").output();
    let said = String::from_utf8(output.expect("the binary runs").stdout).expect("UTF-8");
    assert_eq!(said.trim_end(), concat!("repoplane ", env!("CARGO_PKG_VERSION")));
}
