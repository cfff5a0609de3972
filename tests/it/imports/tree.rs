//! All files together: where a name that was imported is defined.

use std::collections::{BTreeMap, BTreeSet};

use super::Arrows;
use super::source::{Names, Source};

/// More doors than a name passes before it is found; a name that passes more runs in a circle of re-exports.
const MOST_DOORS: usize = 16;

/// The arrows between files, given by path from the folder of the crate's root (`graph/mod.rs`) and text.
pub(crate) fn arrows(files: &BTreeMap<String, String>) -> Arrows {
    let mut tree = Tree::default();
    for (path, text) in files.iter().filter(|(path, _)| !is_tests(path)) {
        tree.modules.insert(module_of(path), Module { path: path.clone(), source: Source::read(text) });
    }
    tree.drop_test_modules();
    let arrows =
        tree.modules.iter().map(|(name, module)| (module.path.clone(), tree.arrows_of(name, module)));
    arrows.collect()
}

struct Module {
    path: String,
    source: Source,
}

#[derive(Default)]
struct Tree {
    modules: BTreeMap<Names, Module>,
}

impl Tree {
    fn drop_test_modules(&mut self) {
        let declared = self.modules.iter().flat_map(|(name, module)| {
            module.source.test_modules.iter().map(move |child| joined(name, std::slice::from_ref(child)))
        });
        let tests: Vec<Names> = declared.collect();
        self.modules.retain(|name, _| !tests.iter().any(|tests| name.starts_with(tests)));
    }

    fn arrows_of(&self, name: &Names, module: &Module) -> BTreeMap<String, BTreeSet<String>> {
        let source = &module.source;
        let star = source.stars.iter().find(|path| self.absolute(name, path).is_some());
        assert!(
            star.is_none(),
            "{} takes all of {star:?}; with the names, one sees where they come from",
            module.path
        );
        let mut arrows = BTreeMap::<String, BTreeSet<String>>::new();
        for path in source.imports.iter().chain(&source.paths) {
            let Some((definer, named)) = self.absolute(name, path).and_then(|path| self.definer(path)) else {
                continue;
            };
            if definer.path != module.path {
                arrows.entry(definer.path.clone()).or_default().insert(named);
            }
        }
        arrows
    }

    /// The path from the root of the crate, unless it leads out of the crate or names something of the file's
    /// own.
    fn absolute(&self, module: &Names, path: &Names) -> Option<Names> {
        let (head, rest) = path.split_first()?;
        match head.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" if rest.is_empty() => None,
            "self" => Some(joined(module, rest)),
            "super" => {
                let ups = path.iter().take_while(|word| *word == "super").count();
                let above = module.len().checked_sub(ups)?;
                Some(joined(&module[..above], &path[ups..]))
            }
            _ => {
                let source = &self.modules.get(module)?.source;
                if let Some(import) = source.names.get(head).filter(|import| *import != path) {
                    return Some(joined(&self.absolute(module, import)?, rest));
                }
                let child = joined(module, std::slice::from_ref(head));
                self.modules.contains_key(&child).then(|| joined(module, path))
            }
        }
    }

    /// The module that defines the first name of this path which is no module, and that name.
    ///
    /// None for a module as such: what is used of it says so itself.
    fn definer(&self, mut path: Names) -> Option<(&Module, String)> {
        for _ in 0..MOST_DOORS {
            let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
            let module = self.modules.get(&path[..depth])?;
            let (name, rest) = path[depth..].split_first()?;
            match module.source.names.get(name) {
                Some(import) => path = joined(&self.absolute(&path[..depth].to_vec(), import)?, rest),
                None => return Some((module, name.clone())),
            }
        }
        None
    }
}

fn joined(stem: &[String], rest: &[String]) -> Names {
    [stem, rest].concat()
}

fn is_tests(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn module_of(path: &str) -> Names {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let mut names: Names = stem.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}
