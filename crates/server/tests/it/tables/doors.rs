//! P1 through the assembled router: every route refuses every kind of credential that it does not list.
