//! `docs/reference/` is what `strongroom tables` prints.

use std::path::Path;

use server::reference;

#[test]
fn the_reference_pages_are_the_tables() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let tables = [
        reference::routes(),
        reference::actions(),
        reference::events(),
        reference::jobs(),
        reference::settings(),
        reference::limits(),
        reference::ends(),
    ];
    for table in tables {
        let page = docs.join(format!("{}.md", table.name));
        let kept = std::fs::read_to_string(&page).unwrap_or_default();
        assert!(
            kept == table.markdown(),
            "docs/reference/{0}.md is old: run `strongroom tables {0} > docs/reference/{0}.md` and read the difference",
            table.name
        );
    }
}

/// What is printed for programs has the keys that they rely on.
#[test]
fn the_routes_table_as_json_has_the_promised_keys() {
    let rows = reference::routes().json();
    for row in rows.as_array().expect("a list") {
        for key in ["method", "path", "face", "credentials", "action", "limit"] {
            assert!(row.get(key).is_some(), "{row} has no {key}");
        }
    }
}
