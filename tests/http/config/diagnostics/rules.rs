//! Diagnostics about rules and the settings beside them.

use actix_throttle::config::Format;

#[test]
fn each_error_of_a_rule_has_its_position() {
    let rows = [
        ("rules = 1", "1:9", "`rules` takes a list, not an integer"),
        ("rules = [1]", "1:10", "a table, not an integer"),
        (
            "[[rules]]\npath = '^/a'",
            "1:1",
            "a rule without limits does nothing: add `limits = [\"100/minute\"]`",
        ),
        (
            "[[rules]]\nlimits = []",
            "1:1",
            "a rule without limits does nothing",
        ),
        (
            "[[rules]]\nlimits = '1/s'",
            "2:10",
            "`limits` takes a list, not a string",
        ),
        ("[[rules]]\nlimits = [1]", "2:11", "a table, not an integer"),
        (
            "[[rules]]\nlimits = ['1/x']",
            "2:11",
            "unknown unit of time `x`",
        ),
        (
            "[[rules]]\nlimits = ['login']",
            "2:11",
            "no limit is named `login`: add it to `limits`",
        ),
        (
            "limits.login = '1/s'\n[[rules]]\nlimits = ['logn']",
            "3:11",
            "unknown limit `logn`, did you mean `login`?",
        ),
        (
            "limits.b = '1/s'\n[[rules]]\nlimits = [{ limit = 'b', times = 5 }]",
            "3:26",
            "`limit` names a limit that says this: remove `times`",
        ),
        (
            "[[rules]]\npath = '^/('\nlimits = ['1/s']",
            "2:8",
            "`^/(` is not a regex: unclosed group",
        ),
        (
            "[[rules]]\npattern = '['\nlimits = ['1/s']",
            "2:11",
            "`[` is not a regex: unclosed character class",
        ),
        (
            "[[rules]]\npath = '/a'\npattern = '/a'\nlimits = ['1/s']",
            "1:1",
            "two ways to say which requests",
        ),
        (
            "[[rules]]\npth = '/a'\nlimits = ['1/s']",
            "2:1",
            "unknown key `pth`, did you mean `path`?",
        ),
        (
            "[[rules]]\nmethods = ['get']\nlimits = ['1/s']",
            "2:12",
            "unknown method `get`, did you mean `GET`?",
        ),
        (
            "[[rules]]\nmethods = []\nlimits = ['1/s']",
            "2:11",
            "`methods` is empty, so no request has one of them: write one, such as `GET`, or leave \
             `methods` out",
        ),
        (
            "[[rules]]\nmethods = [1]\nlimits = ['1/s']",
            "2:12",
            "`methods` lists strings, not an integer",
        ),
        (
            "[[rules]]\nname = 'Städte'\nlimits = ['1/s']",
            "2:8",
            "printable ASCII",
        ),
        (
            "[[rules]]\nexempt = true\nlimits = ['1/s']",
            "3:1",
            "`exempt` leaves these requests alone: remove `limits`",
        ),
        (
            "[[rules]]\nlimits = [{ unlimited = true }]",
            "2:11",
            "`unlimited` needs a group",
        ),
        (
            "[[rules]]\nlimits = [{ unlimited = true, group = 'a', times = 1 }]",
            "2:44",
            "`unlimited` has no use for `times`",
        ),
        (
            "[[rules]]\nlimits = ['1/s', '2/s']",
            "1:1",
            "it would share its counter",
        ),
        (
            "[[rules]]\nlimits = [{ max = 1 }, { max = 2 }]",
            "1:1",
            "it would share its permits",
        ),
        (
            "[[rules]]\nname = 'a'\nlimits = ['1/s']\n[[rules]]\nname = 'a'\nlimits = ['1/s']",
            "4:1",
            "two entries of a `Throttle` are named `a`",
        ),
        // Identifiers.
        (
            "[[rules]]\nidentifier = 'ipp'\nlimits = ['1/s']",
            "2:14",
            "unknown identifier `ipp`, did you mean `ip`?",
        ),
        (
            "[[rules]]\nidentifier = 'by_usr'\nlimits = ['1/s']",
            "2:14",
            "did you mean `by_user`?",
        ),
        (
            "[[rules]]\nidentifier = 'path:id'\nlimits = ['1/s']",
            "2:14",
            "a middleware comes before the route",
        ),
        (
            "[[rules]]\nidentifier = 'header'\nlimits = ['1/s']",
            "2:14",
            "`header` needs a name",
        ),
        (
            "[[rules]]\nidentifier = 'header:a b'\nlimits = ['1/s']",
            "2:14",
            "`a b` is no name of an HTTP header",
        ),
        (
            "[[rules]]\nidentifier = {}\nlimits = ['1/s']",
            "2:14",
            "an identifier is one of these",
        ),
        (
            "[[rules]]\nidentifier = { hedder = 'x' }\nlimits = ['1/s']",
            "2:16",
            "unknown key `hedder`, did you mean `header`?",
        ),
        (
            "[[rules]]\nidentifier = 5\nlimits = ['1/s']",
            "2:14",
            "`identifier` takes a string, a table or a list of them, not an integer",
        ),
        // Settings of the whole file.
        (
            "exempt = '/a'",
            "1:10",
            "`exempt` takes a list, not a string: write `exempt = [\"/api/search\"]`",
        ),
        ("exempt = ['api']", "1:11", "starts with `/`"),
        (
            "skip_preflight = 'yes'",
            "1:18",
            "`skip_preflight` takes true or false, not a string",
        ),
    ];
    super::told(&rows, Format::Toml);
}
