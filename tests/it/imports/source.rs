//! What one file says: the names it imports, and the paths it uses.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The segments of a path, as written or from the root of the crate.
pub(super) type Names = Vec<String>;

/// One file, without what is only for tests.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What the file calls each import, and what is written after its `use`.
    pub(super) names: BTreeMap<String, Names>,
    /// What it imports for itself, and not only for others to import it from here.
    pub(super) imports: Vec<Names>,
    /// The modules of which it imports everything.
    pub(super) stars: Vec<Names>,
    /// Every other path, even of one name.
    pub(super) paths: BTreeSet<Names>,
    /// The file modules that are only there for tests.
    pub(super) test_modules: BTreeSet<String>,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut source = Self::default();
        source.block(text.parse().unwrap(), 0);
        source
    }

    /// Reads what is inside `depth` modules that have no file of their own.
    fn block(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut is_public = false;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' && is_for_tests(after) => {
                    rest = self.skip_item(&after[1..]);
                }
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    if is_group(after, Delimiter::Parenthesis) {
                        rest = &after[1..];
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = after.iter().position(|token| is_mark(token, ';')).unwrap_or(after.len());
                    self.import(&after[..end], &Names::new(), is_public, depth);
                    rest = &after[end..];
                }
                TokenTree::Ident(word)
                    if word == "mod" && is_group(after.get(1..).unwrap_or_default(), Delimiter::Brace) =>
                {
                    if let TokenTree::Group(inner) = &after[1] {
                        self.block(inner.stream(), depth + 1);
                    }
                    rest = &after[2..];
                }
                TokenTree::Ident(_) => {
                    let (path, after) = leading_path(rest_from(&tokens, after));
                    self.paths.extend(seen_from_file(path, depth));
                    rest = after;
                }
                TokenTree::Group(group) => self.block(group.stream(), depth),
                // The name after one dot is a field or a method; after two dots comes a path again.
                TokenTree::Punct(mark) if mark.as_char() == '.' => {
                    let is_range = after.first().is_some_and(|next| is_mark(next, '.'));
                    rest = if is_range || is_word(after) { &after[1..] } else { after };
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            is_public = false;
        }
    }

    /// The tree after `use`, one branch a comma.
    fn import(&mut self, tree: &[TokenTree], stem: &Names, is_reexport: bool, depth: usize) {
        for branch in tree.split(|token| is_mark(token, ',')).filter(|branch| !branch.is_empty()) {
            let (words, rest) = leading_path(branch);
            let mut path: Names = stem.iter().cloned().chain(words).collect();
            if let Some(TokenTree::Group(inner)) = rest.first() {
                self.import(&Vec::from_iter(inner.stream()), &path, is_reexport, depth);
                continue;
            }
            if !stem.is_empty() && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let Some(path) = seen_from_file(path, depth) else { continue };
            if rest.first().is_some_and(|token| is_mark(token, '*')) {
                self.stars.push(path);
                continue;
            }
            let renamed = match rest {
                [_as, TokenTree::Ident(name)] => Some(name.to_string()),
                _ => None,
            };
            let Some(name) = renamed.or_else(|| path.last().cloned()) else { continue };
            if !is_reexport {
                self.imports.push(path.clone());
            }
            self.names.insert(name, path);
        }
    }

    /// Returns what follows the item, field or arm at the beginning, which is only for tests.
    fn skip_item<'t>(&mut self, tokens: &'t [TokenTree]) -> &'t [TokenTree] {
        let keywords =
            ["async", "const", "enum", "fn", "impl", "mod", "static", "struct", "trait", "type", "use"];
        let words = || tokens.iter().map(ToString::to_string);
        let is_item = words()
            .find(|word| word != "pub" && word.chars().all(char::is_alphabetic))
            .is_some_and(|word| keywords.contains(&word.as_str()));
        let is_end = |token: &TokenTree| {
            is_mark(token, ';')
                || (!is_item && is_mark(token, ','))
                || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
        };
        let end = tokens.iter().position(is_end).map_or(tokens.len(), |at| at + 1);
        let module = words().take(end).skip_while(|word| word != "mod").nth(1);
        self.test_modules.extend(module);
        &tokens[end..]
    }
}

/// `a::b::c` at the beginning, also as the beginning of `a::b::{…}`, and what follows it.
fn leading_path(tokens: &[TokenTree]) -> (Names, &[TokenTree]) {
    let mut path = Names::new();
    let mut rest = tokens;
    while let Some((TokenTree::Ident(word), after)) = rest.split_first() {
        path.push(word.to_string());
        rest = after;
        match after {
            [first, second, further @ ..] if is_mark(first, ':') && is_mark(second, ':') => rest = further,
            _ => break,
        }
    }
    (path, rest)
}

/// A path inside `depth` modules without a file, as the file itself would write it; none if it stays inside.
fn seen_from_file(path: Names, depth: usize) -> Option<Names> {
    let ups = path.iter().take_while(|word| *word == "super").count();
    match path.first()?.as_str() {
        "super" if ups < depth => None,
        "super" if ups == depth => Some([&["self".to_owned()], &path[ups..]].concat()),
        "super" => Some(path[depth..].to_vec()),
        "self" if depth > 0 => None,
        _ => Some(path),
    }
}

/// The tokens from one before `after`.
fn rest_from<'t>(tokens: &'t [TokenTree], after: &[TokenTree]) -> &'t [TokenTree] {
    &tokens[tokens.len() - after.len() - 1..]
}

/// Whether the attribute whose `#` was just read keeps what follows for tests.
fn is_for_tests(after: &[TokenTree]) -> bool {
    let words = |group: &Group| group.stream().to_string().replace(' ', "");
    matches!(after.first(), Some(TokenTree::Group(group)) if words(group).starts_with("cfg(test)"))
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_group(tokens: &[TokenTree], delimiter: Delimiter) -> bool {
    matches!(tokens.first(), Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

fn is_word(tokens: &[TokenTree]) -> bool {
    matches!(tokens.first(), Some(TokenTree::Ident(_)))
}
