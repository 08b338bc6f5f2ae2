//! One file a table: what a row holds. Written beside `migrations/`; a test compares both on both engines.
#![allow(missing_docs, reason = "columns whose name says all carry no sentence")]

pub mod account_causes;
pub mod accounts;
pub mod acts;
pub mod addresses;
pub mod api_tokens;
pub mod cases;
pub mod ceremonies;
pub mod deliveries;
pub mod devices;
pub mod event_counts;
pub mod event_private;
pub mod events;
pub mod factors;
pub mod files;
pub mod hold_people;
pub mod holds;
pub mod jobs;
pub mod limit_windows;
pub mod links;
pub mod mailbox_codes;
pub mod prohibited_names;
pub mod project_lines;
pub mod projects;
pub mod recovery_codes;
pub mod recovery_sets;
pub mod releases;
pub mod roles;
pub mod serving;
pub mod sessions;
pub mod sign_in_attempts;
pub mod staff_roles;
pub mod subject_keys;
