//! Style of a page, light and dark.

/// The content of its `style` element; colours are variables that themed charts use.
pub(crate) const STYLE: &str = "
:root{color-scheme:light dark;--back:#fff;--grid:#dee2e8;--ink:#3c424c;--mark:#d43c2c;--s0:#266ecf;--s1:#10946e;--s2:#965ac8;--s3:#be8214}
@media(prefers-color-scheme:dark){:root{--back:#14171c;--grid:#2b313b;--ink:#d3d8e0;--mark:#ff7565;--s0:#6aa5f8;--s1:#3ecba0;--s2:#be92ee;--s3:#e2ac4b}}
body{background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:16px;max-width:1200px}
h1{font-size:1.4em;overflow-wrap:anywhere}h2{font-size:1.05em;margin:24px 0 8px}svg{width:100%;min-width:640px;height:auto;display:block}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:8px;margin:0}dt{opacity:.75;font-size:.85em}dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}td,th{border-bottom:1px solid var(--grid);padding:4px 10px 4px 0;text-align:left;vertical-align:top}
.lane{display:flex;align-items:center;gap:8px;margin:4px 0}.lane span{flex:0 0 110px;font-size:.9em}.lane div{flex:1;position:relative;height:14px;background:var(--grid)}.lane i{position:absolute;top:0;bottom:0}
";
