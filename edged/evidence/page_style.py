"""How the page looks, on a screen and on A4. No script, nothing from outside."""

STYLE = """
:root { --ink: #1c2430; --soft: #5a6573; --line: #d5dae1; --bad: #9b1c2e; --good: #1f6b45; --unsure: #8a5a00; }
* { box-sizing: border-box; }
body { font: 15px/1.45 "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink); margin: 0 auto;
  max-width: 1080px; padding: 28px 32px 48px; background: #fff; }
header { border-bottom: 2px solid var(--ink); padding-bottom: 10px; display: flex; justify-content: space-between;
  gap: 24px; align-items: end; }
header h1 { font-size: 17px; margin: 0; font-weight: 600; letter-spacing: .01em; }
header p { margin: 0; color: var(--soft); font-size: 13px; text-align: right; }
h2 { font-size: 17px; margin: 30px 0 8px; }
h3 { font-size: 14px; margin: 18px 0 4px; }
.headline { font-size: 27px; line-height: 1.25; font-weight: 600; margin: 22px 0 6px; padding-left: 16px;
  border-left: 7px solid var(--soft); }
.headline.good { border-color: var(--good); } .headline.bad { border-color: var(--bad); }
.headline.unsure { border-color: var(--unsure); }
.under { margin: 0 0 18px 23px; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(5, 1fr); gap: 10px; margin: 0; }
.figures div { border: 1px solid var(--line); border-radius: 5px; padding: 9px 12px; }
.figures dt { color: var(--soft); font-size: 12.5px; }
.figures dd { margin: 2px 0 0; font-size: 19px; font-weight: 600; }
.figures small { display: block; font-size: 12px; font-weight: 400; color: var(--soft); line-height: 1.3; }
svg.band { width: 100%; height: auto; display: block; margin: 4px 0 8px; }
svg.close { width: 190px; height: 26px; display: block; margin-top: 4px; }
svg text { font: 12px "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
svg .label { text-anchor: end; } svg .digit { text-anchor: middle; font-weight: 600; }
svg .light { fill: #fff; }
svg .tickword { font-size: 11px; fill: var(--soft); } svg .tick { stroke: var(--soft); }
svg .phase { font-size: 11px; }
.legend { margin: 0; font-size: 12.5px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 18px; }
.legend svg { vertical-align: -1px; border: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; border-bottom: 1px solid var(--ink);
  padding: 4px 10px 4px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); padding: 5px 10px 5px 0; vertical-align: top; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); } .whole { white-space: nowrap; }
.tier { display: inline-block; min-width: 20px; text-align: center; border-radius: 3px; font-weight: 600;
  padding: 0 5px; background: #eef1f4; } .t1 { background: #f6dd7d; } .t2 { background: #f0a640; }
.t3 { background: #d9482f; color: #fff; } .t4 { background: #5b1a6b; color: #fff; }
tr.minor td { color: var(--soft); }
ul { margin: 4px 0; padding-left: 20px; } li { margin: 2px 0; }
code { font: 12.5px/1.5 "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
.note { font-size: 13px; color: var(--soft); } footer { margin-top: 30px; border-top: 1px solid var(--line); }
@media screen and (max-width: 760px) { body { padding: 14px 14px 32px; } section { overflow-x: auto; }
  header { display: block; } header p { text-align: left; margin-top: 6px; } .headline { font-size: 21px; }
  .figures { grid-template-columns: repeat(2, 1fr); } svg.band, table { min-width: 680px; } }
@page { size: A4; margin: 14mm 13mm; }
@media print { body { padding: 0; max-width: none; font-size: 10.5pt; } h2, h3 { break-after: avoid; }
  tr, svg.band, .figures div { break-inside: avoid; } thead { display: table-header-group; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .appendix { break-before: page; } }
"""
