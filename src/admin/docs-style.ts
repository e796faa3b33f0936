// The style sheet of /docs: system fonts, both colour schemes, one column that reads on a phone.

export const DOCS_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --line: #d8dee4; --page: #fff; --box: #f6f8fa;
  --get: #0a6640; --put: #8a5300; --post: #0b57b0; --delete: #b3261e; --link: #0b57b0; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ee; --soft: #9aa4b0; --line: #2e353e; --page: #0f1318;
  --box: #171c23; --get: #5fd39a; --put: #e8b24a; --post: #79b3f5; --delete: #ff8a80; --link: #79b3f5; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.25rem 6rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.02em; }
h2 { font-size: 1.35rem; margin: 3.5rem 0 .75rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: .5rem 0; } a { color: var(--link); } .soft { color: var(--soft); }
code, pre { font: .85em/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
:not(pre) > code { background: var(--box); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: .75rem 0;
  overflow-x: auto; }
nav ul { list-style: none; margin: .5rem 0; padding: 0; display: grid; gap: .1rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
nav a { text-decoration: none; display: flex; gap: .6rem; align-items: baseline; } nav a:hover { text-decoration: underline; }
article { margin: 2rem 0; padding-top: .25rem; }
.call { display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; margin: .35rem 0; }
.call code { background: none; padding: 0; }
.method { font: 700 .75rem/1 ui-monospace, Menlo, Consolas, monospace; min-width: 3.6rem; }
.GET { color: var(--get); } .PUT { color: var(--put); } .POST { color: var(--post); } .DELETE { color: var(--delete); }
.role { margin-left: auto; font-size: .8rem; color: var(--soft); border: 1px solid var(--line); border-radius: 99px;
  padding: 0 .6rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
td code { overflow-wrap: normal; } td:first-child code { white-space: nowrap; } article table { min-width: 34rem; }
th { font-weight: 600; color: var(--soft); } tr:target { background: var(--box); }
`;
