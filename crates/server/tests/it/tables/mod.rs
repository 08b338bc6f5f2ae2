//! Walks over the six tables.
