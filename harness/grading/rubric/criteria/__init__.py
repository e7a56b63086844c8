"""One module for each criterion; docs/criteria.md has a paragraph for each."""
