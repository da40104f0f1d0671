//! The fenced blocks of a Markdown file, and the comments before each.

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
    /// Comments just before it.
    pub(crate) comments: Vec<String>,
}

impl Block {
    /// Why it isn't run, or a line of it that begins with `command`.
    pub(crate) fn is_not_run(&self, command: Option<&str>) -> bool {
        let what = command.map_or("not run:".to_owned(), |command| format!("not run {command}:"));
        self.comments.iter().any(|comment| comment.strip_prefix(&what).is_some_and(|why| !why.trim().is_empty()))
    }

    pub(crate) fn onto(&self) -> Option<&str> {
        self.comments.iter().find_map(|comment| comment.strip_prefix("onto "))
    }
}

pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let (mut all, mut comments) = (Vec::new(), Vec::new());
    let mut open: Option<Block> = None;
    for (number, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, Some(language)) => {
                let (language, text) = (language.trim().to_owned(), String::new());
                open = Some(Block { line: number + 1, language, text, comments: std::mem::take(&mut comments) });
            }
            (None, None) => match line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
                Some(comment) => comments.push(comment.to_owned()),
                None if line.trim().is_empty() => {}
                None => comments.clear(),
            },
        }
    }
    assert!(open.is_none(), "a block isn't closed: {open:?}");
    all
}
