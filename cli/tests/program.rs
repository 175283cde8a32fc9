//! The program as such: help, wrong usage, completions, the man page.

use crate::throttle;

#[test]
fn wrong_usage_ends_with_status_2() {
    for arguments in [
        &[][..],
        &["chekc", "file"],
        &["check"],
        &["redis", "list"],
        &["redis", "--url", "redis://h", "show"],
        &["redis", "--url", "redis://h", "block", "ann"],
        &[
            "redis",
            "--url",
            "redis://h",
            "block",
            "ann",
            "--for",
            "soon",
        ],
        &[
            "redis",
            "--url",
            "redis://h",
            "block",
            "ann",
            "--for",
            "367days",
        ],
        &["redis", "--url", "redis://h", "list", "--watch=0s"],
        &["redis", "--url", "redis://h", "--prefix", "a{b", "list"],
        &["redis", "--url", "http://h", "list"],
        &[
            "redis",
            "--url",
            "redis://h",
            "--master-url",
            "redis://h",
            "list",
        ],
    ] {
        let said = throttle(arguments).status(2);
        assert!(!said.err.is_empty() && said.out.is_empty(), "{said:?}");
    }
    let said = throttle(&["chekc", "file"]);
    assert!(said.err.contains("'check'"), "{said:?}");
    let said = throttle(&["redis", "list"]);
    assert!(said.err.contains("--url redis://"), "{said:?}");
    throttle(&["--help"]).status(0);
    throttle(&["--version"]).status(0);
}

#[test]
fn completions_are_made_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = throttle(&["completions", shell]).status(0);
        assert!(said.out.contains("unblock"), "{shell}");
    }
    throttle(&["completions", "cmd"]).status(2);
}

#[test]
fn man_page_has_every_command() {
    let said = throttle(&["man"]).status(0);
    assert!(said.out.contains(".TH throttle"), "{said:?}");
    for command in ["check", "diff", "redis list", "redis block", "redis reset"] {
        let title = format!(".SH \"THROTTLE {}\"", command.to_uppercase());
        assert!(said.out.contains(&title), "{command}");
    }
    assert!(said.out.contains("exit\\-code") && said.out.contains("max\\-keys"));
}
