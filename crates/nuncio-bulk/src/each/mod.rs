//! One call for each item of a file.
