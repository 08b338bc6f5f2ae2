//! Lists of stolen passwords.
