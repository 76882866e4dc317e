import { asset } from "./asset.ts";

/** The console's one stylesheet. Colours follow the system's light or dark; sizes follow the reader's font size. */
const CSS = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #0f1115);
  --surface: light-dark(#ffffff, #181b21);
  --sunken: light-dark(#f0f2f5, #121419);
  --line: light-dark(#dde1e7, #2b303a);
  --edge: light-dark(#868e9c, #747d8c);
  --text: light-dark(#171a21, #e8eaee);
  --muted: light-dark(#545c6b, #a3abb9);
  --accent: light-dark(#4338ca, #a5b4fc);
  --accent-fill: #4f46e5;
  --accent-soft: light-dark(#eef0ff, #23264a);
  --good: light-dark(#14683c, #6ee7a8);
  --good-soft: light-dark(#e3f6ea, #10301f);
  --warn: light-dark(#854d0e, #f5c95c);
  --warn-soft: light-dark(#fdf4d8, #352a0c);
  --bad: light-dark(#b01e2e, #fca5a5);
  --bad-fill: light-dark(#c02637, #b91c2c);
  --bad-soft: light-dark(#fdeaec, #3b1519);
  --info: light-dark(#1d4f8c, #93c5fd);
  --info-soft: light-dark(#e8f1fd, #12263f);
  --radius: .625rem;
  --shadow: 0 1px 2px light-dark(rgb(16 24 40 / .06), rgb(0 0 0 / .4));
  font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--text); display: grid; grid-template: "top" auto "side" auto "main" 1fr "foot" auto / minmax(0, 1fr); }
h1, h2, h3, p, ul, ol, dl, dd, pre, fieldset, figure { margin: 0; padding: 0; }
h1 { font-size: 1.625rem; line-height: 1.25; letter-spacing: -.015em; }
h2 { font-size: 1.0625rem; line-height: 1.4; }
h3 { font-size: 1rem; }
ul, ol { list-style: none; }
a { color: var(--accent); text-underline-offset: .2em; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
code { overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
main:focus { outline: none; }
.quiet { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: .5rem; top: -4rem; z-index: 9; padding: .5rem 1rem; background: var(--surface); border: 1px solid var(--edge); border-radius: var(--radius); }
.skip:focus { top: .5rem; }

.top { grid-area: top; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; padding: .625rem 1.25rem; background: var(--surface); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .625rem; font-weight: 650; font-size: 1.0625rem; color: inherit; text-decoration: none; }
.brand-ground { fill: var(--accent-fill); }
.brand-arch { fill: #fff; }
.who { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; margin-left: auto; font-size: .875rem; overflow-wrap: anywhere; }
.who .badge { margin-left: .375rem; }
.who form { margin-left: auto; }
.chooser { display: flex; align-items: center; gap: .5rem; }
.chooser label { color: var(--muted); }
.chooser select { width: auto; max-width: 16rem; padding-block: .25rem; font-size: .875rem; }
.side { grid-area: side; display: flex; gap: .25rem 1rem; padding: .375rem .625rem; border-bottom: 1px solid var(--line); overflow-x: auto; min-width: 0; }
.side section, .side ul { display: flex; align-items: center; gap: .125rem; white-space: nowrap; }
.side h2 { font-size: .75rem; font-weight: 650; letter-spacing: .04em; text-transform: uppercase; color: var(--muted); padding: .25rem .625rem; }
.side a { display: block; padding: .375rem .625rem; border-radius: .5rem; color: var(--text); text-decoration: none; }
.side a:hover { background: var(--sunken); }
.side a[aria-current] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
main { grid-area: main; padding: 1.5rem 1.25rem 3rem; width: 100%; max-width: 76rem; min-width: 0; }
.outside main { margin: 0 auto; max-width: 30rem; padding-top: 10vh; }
footer { grid-area: foot; padding: 1rem 1.25rem; color: var(--muted); font-size: .875rem; border-top: 1px solid var(--line); }
@media (min-width: 60rem) {
  body { grid-template: "top top" auto "side main" 1fr "foot foot" auto / 14.5rem minmax(0, 1fr); }
  .outside { grid-template-columns: 0 minmax(0, 1fr); }
  .side { flex-direction: column; gap: 1.25rem; padding: 1.5rem .75rem; border-bottom: 0; border-right: 1px solid var(--line); }
  .side section { display: block; }
  .side ul { flex-direction: column; align-items: stretch; }
  main { padding: 2rem 2.5rem 4rem; }
}

.head { margin-bottom: 1.5rem; }
.head-row { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .75rem 1.5rem; }
.lead { color: var(--muted); margin-top: .375rem; max-width: 46rem; }
.trail ol { display: flex; flex-wrap: wrap; font-size: .875rem; color: var(--muted); margin-bottom: .375rem; }
.trail li + li::before { content: "/"; margin-inline: .5rem; }
.actions, .buttons { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.buttons { margin-top: 1.25rem; }
.stack > * + * { margin-top: 1.25rem; }
.columns { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }

.button { display: inline-flex; align-items: center; justify-content: center; gap: .375rem; min-height: 2.5rem; padding: .375rem .875rem; font: inherit; font-size: .9375rem; font-weight: 550; line-height: 1.25; color: var(--text); background: var(--surface); border: 1px solid var(--edge); border-radius: .5rem; box-shadow: var(--shadow); text-decoration: none; cursor: pointer; }
.button:hover { background: var(--sunken); }
.button.primary { color: #fff; background: var(--accent-fill); border-color: var(--accent-fill); }
.button.primary:hover { background: #4338ca; }
.button.danger { color: var(--bad); border-color: var(--bad); }
.button.danger:hover { background: var(--bad-soft); }
.button.quiet { border-color: transparent; background: none; box-shadow: none; color: var(--accent); }
.button.quiet:hover { background: var(--accent-soft); }
.button.small { min-height: 2rem; padding: .125rem .625rem; font-size: .875rem; }
form[aria-busy] .button, form[aria-busy] .toggle { opacity: .55; cursor: progress; }
.button:disabled, .toggle:disabled { opacity: .55; cursor: not-allowed; }

.badge { display: inline-block; padding: .0625rem .5rem; font-size: .8125rem; font-weight: 550; line-height: 1.4; border-radius: 1rem; background: var(--sunken); color: var(--muted); border: 1px solid var(--line); white-space: nowrap; }
.badge.good { background: var(--good-soft); color: var(--good); border-color: transparent; }
.badge.warn { background: var(--warn-soft); color: var(--warn); border-color: transparent; }
.badge.bad { background: var(--bad-soft); color: var(--bad); border-color: transparent; }
.badge.accent { background: var(--accent-soft); color: var(--accent); border-color: transparent; }

.notice { padding: .75rem 1rem; margin-bottom: 1.25rem; border-radius: var(--radius); border: 1px solid; border-left-width: 4px; background: var(--info-soft); border-color: var(--info); color: var(--text); overflow-wrap: anywhere; }
.notice strong { display: block; color: var(--info); }
.notice.success { background: var(--good-soft); border-color: var(--good); }
.notice.success strong { color: var(--good); }
.notice.warning { background: var(--warn-soft); border-color: var(--warn); }
.notice.warning strong { color: var(--warn); }
.notice.error { background: var(--bad-soft); border-color: var(--bad); }
.notice.error strong { color: var(--bad); }

.card, .empty { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); padding: 1.25rem; margin-bottom: 1.25rem; }
.card > h2 { margin-bottom: .75rem; }
.card p + p { margin-top: .75rem; }
.empty { text-align: center; padding: 3rem 1.5rem; }
.empty p { color: var(--muted); margin: .5rem auto 0; max-width: 34rem; }
.empty p:last-child { margin-top: 1.25rem; }

.field { margin-bottom: 1.125rem; max-width: 34rem; }
.field > label, legend { font-weight: 600; font-size: .9375rem; padding: 0; }
.field > label { display: block; margin-bottom: .25rem; }
.hint { color: var(--muted); font-size: .875rem; margin-top: .25rem; }
.error { color: var(--bad); font-size: .875rem; font-weight: 550; margin-top: .25rem; }
input, select, textarea { font: inherit; color: inherit; accent-color: var(--accent-fill); }
input:not([type]), input[type=text], input[type=search], input[type=email], input[type=url], input[type=number], input[type=date], input[type=datetime-local], input[type=file], select, textarea { width: 100%; min-height: 2.5rem; padding: .375rem .625rem; background: var(--surface); border: 1px solid var(--edge); border-radius: .5rem; }
textarea { min-height: 8rem; resize: vertical; }
.wrong input, .wrong select, .wrong textarea { border-color: var(--bad); }
fieldset { border: 0; margin-bottom: 1.25rem; min-width: 0; }
legend { margin-bottom: .5rem; }
.choice { display: grid; gap: .5rem; max-width: 46rem; }
.choice legend { float: left; }
.choice legend + * { clear: both; }
.option { position: relative; padding: .75rem 1rem .75rem 2.75rem; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
.option input { position: absolute; left: 1rem; top: 1rem; margin: 0; width: 1.125rem; height: 1.125rem; }
.option label { font-weight: 600; }
.option label::after { content: ""; position: absolute; inset: 0; cursor: pointer; }
.option:has(input:checked) { border-color: var(--accent-fill); background: var(--accent-soft); }
.option:has(input:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
form:has([name=permission]:checked:not([value=restricted])) .nothing-allowed,
form:has(:is([name=graphql], [name=kubernetes]):checked:not([value=none])) .nothing-allowed,
form:has([name=inference]:checked:not([value=none], [value=endpoints])) .nothing-allowed,
form:has([name=inference][value=endpoints]:checked):has(:is([name^="endpoint:"], [name=others], [name=other_access]):checked:not([value=none])) .nothing-allowed { display: none; }
.check { display: flex; gap: .625rem; align-items: baseline; }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1.25rem; }
.filters > div { flex: 1 1 9rem; max-width: 20rem; }
.filters label { display: block; font-size: .875rem; font-weight: 600; margin-bottom: .25rem; }

.data { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); font-size: .9375rem; }
.data th, .data td { text-align: left; vertical-align: middle; padding: .625rem .875rem; overflow-wrap: anywhere; }
.data thead th { font-size: .8125rem; color: var(--muted); font-weight: 600; border-bottom: 1px solid var(--line); white-space: nowrap; }
.data tbody tr:not(:last-child) > * { border-bottom: 1px solid var(--line); }
.data tbody th { font-weight: 600; }
.data code, .data time { white-space: nowrap; }
.data .number { text-align: right; font-variant-numeric: tabular-nums; }
.data .actions { flex-wrap: nowrap; }
.scroll { overflow-x: auto; }
@media (max-width: 52rem) {
  .data { display: block; background: none; border: 0; box-shadow: none; }
  .data thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .data tbody, .data tr { display: block; }
  .data tr { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); margin-bottom: .75rem; padding: .5rem 0; }
  .data tbody tr:not(:last-child) > * { border: 0; }
  .data th[scope=row], .data td { display: grid; grid-template-columns: minmax(6.5rem, 2fr) 5fr; gap: .75rem; align-items: center; padding: .3125rem 1rem; text-align: left; }
  .data th[scope=row]::before, .data td::before { content: attr(data-label); font-size: .8125rem; font-weight: 550; color: var(--muted); }
  .data th[scope=row] { display: block; font-size: 1rem; padding-bottom: .5rem; }
  .data th[scope=row]::before { content: none; }
  .data td > .badge { justify-self: start; }
  .data .actions { flex-wrap: wrap; }
}
.pages { display: flex; gap: .5rem; margin-top: 1rem; }

.toggle { display: inline-flex; align-items: center; gap: .5rem; margin-left: -.25rem; padding: .25rem; white-space: nowrap; font: inherit; font-size: .875rem; color: var(--text); background: none; border: 0; cursor: pointer; }
.toggle-track { flex: none; width: 2.25rem; height: 1.25rem; padding: .125rem; border-radius: 1rem; background: var(--edge); transition: background .15s; }
.toggle-knob { display: block; width: 1rem; height: 1rem; border-radius: 50%; background: #fff; transition: translate .15s; }
.toggle[aria-checked=true] .toggle-track { background: var(--accent-fill); }
.toggle[aria-checked=true] .toggle-knob { translate: 1rem 0; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { .toggle-track { border: 1px solid; } .toggle-knob { background: ButtonText; } }

.copy { display: flex; gap: .5rem; align-items: start; margin-block: .5rem; }
.copy pre { flex: 1; min-width: 0; overflow-x: auto; padding: .5rem .75rem; min-height: 2.5rem; background: var(--sunken); border: 1px solid var(--line); border-radius: .5rem; }
.copy:not(.lines) pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.facts { display: grid; gap: .75rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); }
.facts dt { font-size: .8125rem; color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }
.tabs { display: flex; flex-wrap: wrap; gap: .25rem; margin-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
.tabs a { padding: .5rem .75rem; color: var(--muted); text-decoration: none; border-bottom: 2px solid transparent; margin-bottom: -1px; }
.tabs a[aria-current] { color: var(--accent); border-color: var(--accent); font-weight: 600; }
dialog { max-width: min(30rem, calc(100vw - 2rem)); padding: 1.5rem; color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 20px 60px rgb(0 0 0 / .3); }
dialog::backdrop { background: rgb(10 12 16 / .55); }
progress { width: 100%; accent-color: var(--accent-fill); }
.chart { width: 100%; height: auto; display: block; }
.chart .read { fill: light-dark(#4f46e5, #818cf8); }
.chart .write { fill: light-dark(#0f9d8a, #2dd4bf); }
.chart .denied { fill: light-dark(#d03f4f, #f87171); }
.chart .grid { stroke: var(--line); }
.chart text { fill: var(--muted); font-size: 11px; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; margin-top: .5rem; }
.legend svg { width: .75rem; height: .75rem; margin-right: .375rem; }

/* API keys, templates, usage */
h1, legend, label, .trail, .lead, .card h2, .notice { overflow-wrap: anywhere; }
.inline { display: inline; }
.below { margin-top: 1rem; }
.icon { padding: 0 .5rem; min-height: 2.25rem; }
.icon svg { fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.icon.revoke { color: var(--bad); }
.icon.revoke:hover { background: var(--bad-soft); }
.icons { gap: 0; margin-inline: -.5rem; }
.key-name { display: flex; gap: .625rem; align-items: start; }
.key-name input { width: 1.125rem; height: 1.125rem; margin: .25rem 0 0; flex: none; }
.data:has(.key-name input) .key-name > div:first-child { margin-left: 1.75rem; }
.key-name code { display: block; color: var(--muted); font-weight: 400; }
.hints { display: flex; flex-wrap: wrap; gap: .25rem; margin-top: .25rem; }
.tabs + .hints { margin: 0 0 1rem; }
.data td .hint, .check .hint { display: block; margin: 0; font-weight: 400; }
.data:has(.key-name) { font-size: .875rem; }
.data:has(.key-name) :is(th, td) { padding-inline: .625rem; }
.data:has(.key-name) time .quiet { display: block; }
.button.danger.solid { color: #fff; background: var(--bad-fill); border-color: var(--bad-fill); }
.key-form .card { padding: 1.25rem 1.5rem; }
.key-form .card > :last-child { margin-bottom: 0; }
.wide-choice .choice { max-width: none; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.wide-choice legend { grid-column: 1 / -1; }
.part { border-top: 1px solid var(--line); padding-top: 1.125rem; margin-top: 1.125rem; }
.part h3 { margin-bottom: .5rem; }
.part > .error { margin: 0 0 .5rem; }
.part .hint { margin-bottom: .5rem; }
.segments > div { display: flex; flex-wrap: wrap; width: fit-content; max-width: 100%; background: var(--sunken); border: 1px solid var(--edge); border-radius: .5rem; padding: .125rem; gap: .125rem; }
.segments label { position: relative; cursor: pointer; }
.segments input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.segments span { display: block; padding: .3125rem .75rem; border-radius: .375rem; font-size: .9375rem; }
.segments input:checked + span { background: var(--accent-fill); color: #fff; font-weight: 550; }
.segments input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (forced-colors: active) { .segments input { opacity: 1; position: static; } }
.levels { max-width: 46rem; margin-bottom: 1.25rem; }
.levels .actions { margin-bottom: .5rem; }
.levels table, .counts { width: 100%; border-collapse: collapse; font-size: .9375rem; }
.levels th, .levels td, .counts th, .counts td { padding: .375rem .5rem; border-bottom: 1px solid var(--line); text-align: left; font-weight: 400; overflow-wrap: anywhere; }
.levels thead th, .counts thead th { color: var(--muted); font-size: .8125rem; font-weight: 600; overflow-wrap: normal; }
.levels th + th, .levels td { text-align: center; width: 6.5rem; }
.levels tbody tr:hover { background: var(--sunken); }
.levels td { padding: 0; }
.levels td label { display: grid; place-items: center; min-height: 2.5rem; cursor: pointer; }
.levels input, .check input { width: 1.125rem; height: 1.125rem; flex: none; margin: 0; }
.check input { translate: 0 .1875rem; }
.boxes { display: grid; gap: .625rem; max-height: 22rem; overflow-y: auto; padding: .25rem; }
.another { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.another input:not([type]) { width: 16rem; }
.another .segments { margin: 0; }
.notice li { margin-top: .25rem; }
.name { overflow-wrap: anywhere; }
.scopes { background: var(--sunken); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto; margin-top: .5rem; }
details { margin-top: 1rem; }
.spans { display: flex; gap: .25rem; }
.spans [aria-current] { background: var(--accent-fill); border-color: var(--accent-fill); color: #fff; }
.totals { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; margin-top: 1rem; }
.totals .card { padding: 1rem 1.25rem; }
.totals dt { color: var(--muted); font-size: .875rem; }
.totals dd { font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; }
.usage { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .5rem .75rem; }
.usage > .chart { height: 14rem; }
.usage .grid { vector-effect: non-scaling-stroke; }
.usage .axis { display: flex; flex-direction: column; justify-content: space-between; text-align: right; margin-block: -.5rem; }
.axis, .times { font-size: .75rem; line-height: 1rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.times, .usage .legend { grid-column: 2; }
.times { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); }
.times.month { grid-auto-columns: 7fr; grid-template-columns: 7fr 7fr 7fr 7fr 2fr; }
.times.week { text-align: center; }
.times span { white-space: nowrap; }
.legend span { display: inline-flex; align-items: center; }
.legend .chart { width: .75rem; }
.reasons li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .125rem 1rem; margin-bottom: .75rem; }
.proportion { grid-column: 1 / -1; height: .5rem; }
.counts time { white-space: nowrap; }
.counts thead th { vertical-align: bottom; }
.counts td { white-space: nowrap; }
.counts th:nth-child(n + 5) { min-width: 7rem; }
.counts th + th, .counts td { text-align: right; font-variant-numeric: tabular-nums; }
@media (scripting: none) { .only-scripts { display: none; } }
@media (max-width: 52rem) {
  .data td:empty { display: none; }
  .icons { margin: 0; }
  .levels th + th, .levels td { width: 3.75rem; padding-inline: .125rem; }
  .levels thead th { font-size: .75rem; }
  .key-form .card { padding: 1rem; }
  .times.week span { white-space: normal; }
  .totals { gap: .5rem; }
  .totals .card { padding: .75rem; }
}

/* Admin and settings */
.method-path { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0 .75rem; }
.method-path .field { max-width: none; }
.rows { display: grid; gap: .5rem; max-width: 46rem; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: .5rem .75rem; }
.row label { font-size: .8125rem; color: var(--muted); }
.card > .hint + .columns { margin-top: .75rem; }
.card .columns .field { margin-bottom: 0; }
.card .columns + .field { margin-top: 1.125rem; }
summary { cursor: pointer; padding-block: .25rem; color: var(--accent); }
details > .field:first-of-type { margin-top: .75rem; }
.plain li + li { margin-top: .25rem; }
.plain .badge { margin-left: .25rem; }
.steps, .bullets { list-style: decimal; padding-left: 1.5rem; }
.bullets { list-style: disc; }
.steps li + li { margin-top: .5rem; }
.changes > div { display: grid; grid-template-columns: minmax(5rem, auto) minmax(0, 1fr); gap: .75rem; font-size: .875rem; }
.changes dt { color: var(--muted); }
.changes dd { overflow-wrap: anywhere; }
.changes del { color: var(--bad); }
.changes ins { color: var(--good); text-decoration: none; }
.verdict { border-left: 4px solid var(--accent-fill); }
.verdict .facts { margin-block: 1rem; }
.verdict:focus { outline: none; }
.results { margin-top: 1rem; }
.results h3 { margin-bottom: .5rem; }
.record .card, .after .card { max-width: 56rem; }
.after { margin-top: 2rem; }
.record .wide-choice { margin-bottom: 1.125rem; }
.record .columns { grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); }
.data code.long { white-space: normal; }
.data .button { white-space: nowrap; overflow-wrap: normal; }
.audit .data :is(th, td) { vertical-align: top; }
.audit .data time .quiet { display: inline; }
.audit .data tbody td:last-child { width: 40%; }
.audit details { margin: 0; }
.audit summary { padding: 0; }
@media (max-width: 52rem) {
  .data code { white-space: normal; }
  .audit .data tbody td:last-child { width: auto; grid-template-columns: minmax(0, 1fr); }
  .changes time { white-space: normal; }
}
`;

export const STYLE = asset("/console/style.css", "text/css; charset=utf-8", CSS.trim());
export const STYLE_URL = STYLE.url;
