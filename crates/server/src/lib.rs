//! The faces of Strongroom: HTTP and command line.
pub mod assets;
pub mod pages;
pub mod readme;
