/** The style sheet of the statistics page: light and dark as the reader's system is; on narrow screens each row becomes a card. */
export const STYLE = `
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--text:#1b1f24;--quiet:#5c6570;--line:#dfe3e8;--good:#0b6b3a;--good-back:#dcf5e7;--bad:#a11a1a;--bad-back:#fde4e4;--still-back:#e9ecf0;--accent:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--back:#111418;--card:#1a1f25;--text:#e6e9ed;--quiet:#98a2ad;--line:#2c333b;--good:#7be0a5;--good-back:#123822;--bad:#ff9c9c;--bad-back:#451a1a;--still-back:#2a3138;--accent:#8ab8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.45 system-ui,sans-serif}
header,main,footer{max-width:1280px;margin:0 auto;padding:0 16px}
header{padding-top:16px}
h1{font-size:1.35rem;margin:0}h2{font-size:1.05rem;margin:24px 0 8px}h3{font-size:1rem;margin:0 0 4px}
small,.quiet{color:var(--quiet);font-weight:400}
p{margin:4px 0}
.facts{display:flex;flex-wrap:wrap;gap:4px 24px;margin:8px 0 0}
.facts div{display:flex;gap:6px}.facts dt{color:var(--quiet)}.facts dd{margin:0;font-variant-numeric:tabular-nums}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:12px;list-style:none;margin:0;padding:0}
.card,table{background:var(--card);border:1px solid var(--line);border-radius:8px}
.card{padding:12px}.addresses{font-variant-numeric:tabular-nums;font-weight:600}
.filter{margin:12px 0 0;display:flex;gap:8px;align-items:center}.filter input{flex:0 1 220px;min-width:0}.card.master{border-left:4px solid var(--good)}.card.init{border-left:4px solid var(--bad)}
.badge{display:inline-block;padding:0 8px;border-radius:10px;background:var(--still-back);font-size:.85em;font-weight:600;white-space:nowrap}
.badge.good,.master .badge{background:var(--good-back);color:var(--good)}
.badge.bad,.init .badge{background:var(--bad-back);color:var(--bad)}.bad{color:var(--bad)}
.outcome{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px 12px;margin-top:16px}
table{width:100%;border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;border-top:1px solid var(--line);vertical-align:top;white-space:nowrap}
thead th{border-top:0;color:var(--quiet);font-weight:600;font-size:.85em}
tbody th,.left,td[data-of=Status],.box{text-align:left}
td[data-of=Status]{white-space:normal}
.kind-B th,.kind-F th,.kind-L th{font-weight:400;color:var(--quiet)}
.actions{margin:8px 0}select,button,input[type=search]{font:inherit;padding:6px 12px;border-radius:6px;border:1px solid var(--line);background:var(--card);color:inherit}
td.quiet{color:var(--quiet)}
.actions button{background:var(--accent);border-color:var(--accent);color:var(--card)}
a{color:var(--accent)}footer{padding-top:24px;padding-bottom:32px;display:flex;flex-wrap:wrap;gap:16px}
@media(max-width:760px){
table,tbody{display:block}thead{display:none}
tr{display:grid;grid-template-columns:1fr 1fr 1fr;gap:0 12px;padding:10px 12px;border-top:1px solid var(--line)}
tr:first-child{border-top:0}
th,td{border:0;padding:2px 0;text-align:left}
tbody th{grid-column:1/-1;grid-row:1;font-size:1rem}td[data-of=Status]{grid-column:1/-1;grid-row:2}.box{grid-column:3;grid-row:1;text-align:right}
td[data-of]:not([data-of=Status])::before{content:attr(data-of);display:block;color:var(--quiet);font-size:.75em}
td[data-of]:empty{display:none}
}`;
