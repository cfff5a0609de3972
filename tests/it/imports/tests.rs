use std::collections::BTreeMap;

use super::{arrows, circles};

/// Checks which file takes which names from which: one text for each file, one for each arrow.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let files: BTreeMap<String, String> =
        files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
    let mut found = Vec::new();
    for (from, to) in arrows(&files) {
        for (to, names) in to {
            found.push(format!("{from} -> {to}: {}", names.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    assert_eq!(found, expected, "{files:?}");
}

const LEAVES: [(&str, &str); 2] = [("a.rs", "pub struct A; pub fn f() {}"), ("b/c.rs", "pub struct C;")];

#[track_caller]
fn check_one(text: &str, expected: &[&str]) {
    let [a, c] = LEAVES;
    check(&[a, c, ("b/d.rs", text)], expected);
}

#[test]
fn each_way_to_write_an_import() {
    for text in [
        "use crate::b::c::C;",
        "use super::c::C;",
        "pub(super) fn f(c: &super::c::C) {}",
        "fn f() { let c = crate::b::c::C; }",
        "fn f() { call(|| [super::c::C { x: 1 }]) }",
        "fn f() { println!(\"{:?}\", super::c::C) }",
        "use super::c; fn f() { c::C.g() }",
        "use super::c as other; fn f() { other::C.g() }",
        "use crate::b; fn f() { b::c::C.g() }",
        "use crate::{self as root}; fn f() { root::b::c::C.g() }",
        "fn f() { use super::c::{self, C}; }",
        "use super::c::{C as Other};",
        "mod inner { use super::super::c::C; }",
        "fn f() -> S { S { x, ..super::c::C } }",
    ] {
        check_one(text, &["b/d.rs -> b/c.rs: C"]);
    }
    let both = "use crate::{a::{A, f}, b::c::C};";
    check_one(both, &["b/d.rs -> a.rs: A, f", "b/d.rs -> b/c.rs: C"]);
    check_one("use crate::a::Trait as _;", &["b/d.rs -> a.rs: Trait"]);
    let twice = "fn g() { use crate::a::A as X; } fn h() { use super::c::C as X; }";
    check_one(twice, &["b/d.rs -> a.rs: A", "b/d.rs -> b/c.rs: C"]);
}

#[test]
fn what_is_no_import() {
    for text in [
        "use std::fmt; use serde::Serialize; use serde_json::*; fn f() { fmt::write() }",
        "// use super::c::C;\n/* super::c::C */ /// [`super::c::C`]\nstruct D;",
        "const TEXT: &str = \"use super::c::C;\";",
        "use super::c;",
        "fn f(x: X) { x.c.C; self.c() }",
        "#[cfg(test)] use super::c::C;",
        "#[cfg(test)] mod tests { use super::super::c::C; }",
        "#[cfg(test)] #[path = \"x.rs\"] mod tests { use crate::b::c::C; } struct D;",
        "impl D { #[cfg(test)] pub(super) fn f() -> Result<super::c::C, ()> { super::c::C } }",
        "enum D { #[cfg(test)] One(super::c::C), Two }",
        "fn f() { match x { #[cfg(test)] One => super::c::C, Two => {} } }",
        "struct S; impl S { fn f() { self::S } }",
    ] {
        check_one(text, &[]);
    }
    check_one("#[cfg(test)] fn f() {} use super::c::C;", &["b/d.rs -> b/c.rs: C"]);
    check_one("#[cfg(feature = \"demo\")] use super::c::C;", &["b/d.rs -> b/c.rs: C"]);
}

#[test]
fn a_name_is_taken_from_the_file_that_defines_it() {
    let door =
        ("b/mod.rs", "mod c; pub use c::C; pub use self::c::Old as New; pub use crate::a::A; pub struct B;");
    let [a, c] = LEAVES;
    for (text, expected) in [
        ("use crate::b::C;", "e.rs -> b/c.rs: C"),
        ("use crate::b::New;", "e.rs -> b/c.rs: Old"),
        ("use crate::b::A;", "e.rs -> a.rs: A"),
        ("use crate::b::B;", "e.rs -> b/mod.rs: B"),
        ("use crate::b; fn f() { b::C }", "e.rs -> b/c.rs: C"),
    ] {
        check(&[a, c, door, ("e.rs", text)], &[expected]);
    }
}

#[test]
fn a_reexport_is_an_import_only_where_the_file_uses_the_name_itself() {
    let [_, c] = LEAVES;
    check(&[c, ("b/mod.rs", "mod c; pub use c::C;")], &[]);
    check(&[c, ("b/mod.rs", "mod c; pub use c::C; fn f(c: C) {}")], &["b/mod.rs -> b/c.rs: C"]);
    check(&[c, ("b/mod.rs", "mod c; fn f() { c::C }")], &["b/mod.rs -> b/c.rs: C"]);
    check(&[c, ("b.rs", "mod c; fn f() { c::C }")], &["b.rs -> b/c.rs: C"]);
}

#[test]
#[should_panic(expected = "b/d.rs takes all of")]
fn a_star_would_hide_where_names_come_from() {
    check_one("use super::c::*;", &[]);
}

#[test]
fn tests_do_not_count() {
    let [a, _] = LEAVES;
    for path in ["b/tests.rs", "b/tests/x.rs", "b/world.rs"] {
        let parent = ("b/mod.rs", "#[cfg(test)] mod tests; #[cfg(test)] pub(crate) mod world; mod c;");
        check(&[a, parent, (path, "use crate::a::A;")], &[]);
    }
}

#[test]
fn circles_are_found_with_all_that_ties_them() {
    let files = [
        ("lib.rs", "use a::A; mod a; mod b; mod c; mod d; mod e;"),
        ("a.rs", "use super::b::B; struct A;"),
        ("b.rs", "use super::c::C; use crate::d::D; struct B;"),
        ("c.rs", "struct C; fn f() { crate::a::A }"),
        ("d.rs", "use crate::e::E; struct D;"),
        ("e.rs", "use crate::d::D;"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(
        circles(&arrows(&BTreeMap::from(files.clone()))),
        [
            "a circle of 3 files:\n  a.rs -> b.rs: B\n  b.rs -> c.rs: C\n  c.rs -> a.rs: A",
            "a circle of 2 files:\n  d.rs -> e.rs: E\n  e.rs -> d.rs: D",
        ]
    );
    let opened =
        files.map(|(path, text)| (path, text.replace("crate::a::A", "A").replace("use crate::e::E;", "")));
    assert_eq!(circles(&arrows(&BTreeMap::from(opened))), Vec::<String>::new());
}
