//! The page of the book: what stands between two marks of it is written by this program.

const END: &str = "<!-- end -->\n";

/// The page with this text in the place of that name, if there is one.
pub(crate) fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- begin: cargo xtask conformance: {name} -->\n");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}\n{text}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "before\n<!-- begin: cargo xtask conformance: a -->\nold\n<!-- end -->\nbetween\n\
                        <!-- begin: cargo xtask conformance: b -->\n<!-- end -->\nafter\n";

    #[test]
    fn a_text_is_put_where_the_page_wants_it_and_nowhere_else() {
        let page = replaced(PAGE, "a", "new").unwrap();
        assert_eq!(page, PAGE.replace("\nold\n", "\n\nnew\n\n"));
        let page = replaced(PAGE, "b", "new").unwrap();
        assert!(
            page.contains("old") && page.contains("b -->\n\nnew\n\n<!-- end -->\nafter"),
            "{page}"
        );
    }

    #[test]
    fn a_page_without_the_place_is_refused() {
        assert_eq!(replaced(PAGE, "c", "new"), None);
        assert_eq!(replaced(&PAGE.replace("<!-- end -->", ""), "a", "new"), None);
    }
}
