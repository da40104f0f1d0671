//! The texts that people wrote: files and command-line arguments, by id; and places within them.

/// A source: a file, or an argument such as `--set`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SourceId(u32);

/// A piece of a source: bytes `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The file or argument.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    is_file: bool,
}

/// Every text that was read, so that a caret can be put under a piece of it.
#[derive(Clone, Default, Debug)]
pub struct Sources(Vec<Source>);

impl Sources {
    fn add(&mut self, name: String, text: String, is_file: bool) -> SourceId {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.0.push(Source { name, text, lines, is_file });
        SourceId(u32::try_from(self.0.len() - 1).expect("sources are limited far below 2^32"))
    }

    /// Adds a file under the name it is shown by.
    pub fn file(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.add(name.into(), text.into(), true)
    }

    /// Adds an argument: the option (`--set`) and what was written after it.
    pub fn argument(&mut self, option: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.add(option.into(), text.into(), false)
    }

    fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// What the source is shown as: a file's path, or the option.
    pub fn name(&self, id: SourceId) -> &str {
        &self.get(id).name
    }

    /// The whole text.
    pub fn text(&self, id: SourceId) -> &str {
        &self.get(id).text
    }

    /// The whole of a source as one origin.
    pub fn whole(&self, id: SourceId) -> Origin {
        Origin::new(id, 0..self.text(id).len())
    }

    /// Where an origin begins.
    pub fn position(&self, origin: Origin) -> Position {
        let source = self.get(origin.source);
        let mut at = (origin.start as usize).min(source.text.len());
        while !source.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = source.lines.partition_point(|&start| start <= at);
        Position { line, column: source.text[source.lines[line - 1]..at].chars().count() + 1 }
    }

    /// The bytes of the lines that an origin's first line to `last` cover, without the last line's end.
    pub(super) fn lines(&self, id: SourceId, first: usize, last: usize) -> std::ops::Range<usize> {
        let source = self.get(id);
        let end = source.lines.get(last).map_or(source.text.len(), |next| next - 1);
        source.lines[first - 1]..end
    }

    /// `file.toml:12`, or `--set x=1` for an argument: where something came from, in a few words.
    pub fn describe(&self, origin: Origin) -> String {
        let source = self.get(origin.source);
        if source.is_file {
            format!("{}:{}", source.name, self.position(origin).line)
        } else {
            format!("{} {}", source.name, source.text)
        }
    }
}

impl Origin {
    /// A piece of a source, in bytes.
    #[must_use]
    pub fn new(source: SourceId, span: std::ops::Range<usize>) -> Self {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { source, start: byte(span.start), end: byte(span.end.max(span.start)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.file("a.toml", "né = 1\nb = 2\n");
        let at = |start| sources.position(Origin::new(id, start..start + 1));
        assert_eq!(at(0), Position { line: 1, column: 1 });
        assert_eq!(at(4), Position { line: 1, column: 4 }); // é is two bytes
        assert_eq!(at(2), Position { line: 1, column: 2 }); // within é
        assert_eq!(at(8), Position { line: 2, column: 1 });
        assert_eq!(at(14), Position { line: 3, column: 1 });
        assert_eq!(at(999), Position { line: 3, column: 1 });
        assert_eq!(sources.describe(Origin::new(id, 8..9)), "a.toml:2");
    }
}
