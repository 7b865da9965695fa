"""Ways to spoil the statistics page, each with the check that must notice it, and what must be in its complaint.

A spoil is a script that runs before the page's own. What the checks say of a page that they pass is worth as much as
what they say of these.
"""


def answer(change):
    """Changes `stats`, each time that the page gets an answer."""
    return f"""
        const json = Response.prototype.json;
        Response.prototype.json = async function () {{ const stats = await json.call(this); {change}; return stats; }};
    """


def loaded(script):
    """Runs when the page is there, before its own start."""
    return f"document.addEventListener('DOMContentLoaded', () => {{ {script} }});"


def style(rule):
    """Adds a rule to the style."""
    return loaded(f"document.styleSheets[0].insertRule(`{rule}`, document.styleSheets[0].cssRules.length)")


def chart(before="", after=""):
    """Changes the options `o` of each chart, or the chart `u` in its element `at`."""
    return loaded(f"""
        const Chart = window.uPlot;
        window.uPlot = function (o, data, at) {{ {before}; const u = new Chart(o, data, at); {after}; return u; }};
        Object.assign(window.uPlot, Chart);
    """)


def deaf(kind, condition):
    """Keeps some events from the page."""
    return f"addEventListener('{kind}', (e) => {{ if ({condition}) e.stopImmediatePropagation(); }}, true);"


def drawn_off(x, y):
    """Draws lines some pixels off."""
    return f"""
        const stroke = CanvasRenderingContext2D.prototype.stroke;
        CanvasRenderingContext2D.prototype.stroke = function (...path) {{
          this.save(); this.translate({x}, {y}); stroke.apply(this, path); this.restore();
        }};
    """


SPOILS = [
    ("it asks for more than it needs", "two-requests", "/health",
     loaded("fetch('/health')")),
    ("an inline style", "no-complaints", "inline style",
     loaded("document.body.setAttribute('style', 'margin: 0')")),
    ("a figure is one too high", "figures", "seeders: ",
     answer("stats.seeders += 1")),
    ("figures without separators", "figures", "peers: ",
     """
        const bare = { get() { return (n) => String(+n.toFixed(2)); } };
        Object.defineProperty(Intl.NumberFormat.prototype, 'format', bare);
     """),
    ("one point is one too high", "choices", "1 points are wrong",
     answer("const { seeders } = stats.history; seeders[seeders.length - 9] += 1")),
    ("gaps are filled", "choices", "[None, 0] at",
     answer("stats.history.scrapes = stats.history.scrapes.map((n) => n ?? 0)")),
    ("two columns are swapped", "choices", "requests: 1",
     answer("const h = stats.history; [h.announces, h.scrapes] = [h.scrapes, h.announces]")),
    ("the running minute counts as a whole one", "choices", "requests: 1 points are wrong",
     answer("const { covered } = stats.history; covered[covered.length - 1] = 3600")),
    ("the period is ignored", "choices", "1h by minute in the chart",
     """
        const get = window.fetch;
        window.fetch = (url, ...rest) => get(url.replace(/period=\\w+/, 'period=1d'), ...rest);
     """),
    ("another choice by keyboard changes nothing", "choices-by-keyboard", "3d by minute in the chart",
     deaf("change", "true")),
    ("the address stays as it is", "choices-in-the-address", "in the address",
     "History.prototype.replaceState = () => {};"),
    ("it does not say that it shows hours", "hours-for-long-periods", "by minute",
     answer("stats.history.group = 'minute'")),
    ("the legend shows the point beside", "hover", "swarm shows",
     chart("o.cursor.dataIdx = (u, series, i) => Math.max(0, i - 1)")),
    ("the charts' cursors are apart", "hover", "requests shows",
     chart("delete o.cursor.sync")),
    ("times are not the reader's", "hover", "swarm says",
     """
        const Format = Intl.DateTimeFormat;
        Intl.DateTimeFormat = function (l, o) { return new Format(l, { ...o, timeZone: 'UTC' }); };
     """),
    ("rates are rounded", "hover", "announces reads",
     """
        const Numbers = Intl.NumberFormat;
        const digits = { minimumFractionDigits: 0, maximumFractionDigits: 1 };
        Intl.NumberFormat = function (l, o) { return new Numbers(l, { ...o, ...digits }); };
     """),
    ("gaps are not told from what was not recorded", "hover-where-it-was-off", "·'",
     """
        const whole = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');
        const set = function (text) { whole.set.call(this, String(text).replace('tracker off', '')); };
        Object.defineProperty(Node.prototype, 'textContent', { ...whole, set });
     """),
    ("lines are 6 px too low", "drawn-lines", "peers: 20 of 20",
     drawn_off(0, 6)),
    ("lines are 20 px too far left", "drawn-lines", "columns are wrong",
     drawn_off(-20, 0)),
    ("other lines than the chart's own data", "drawn-lines", "peers: 20 of 20",
     chart(after="""
        const set = u.setData;
        u.setData = (d, r) => { set(d.map((c, i) => (i ? c.map((n) => n && n * 1.03) : c)), r); u.data = d; };
     """)),
    ("lines cross the gaps", "drawn-gap", "in the gap at",
     chart("o.series.forEach((s) => { s.spanGaps = true; s.paths = null; })")),
    ("bars are lines", "drawn-bars", "bar ",
     chart("o.series.forEach((s) => { delete s.paths; })")),
    ("a refresh ends the zoom", "zoom", "after a refresh",
     answer("setTimeout(() => document.getElementById('reset-zoom').click())")),
    ("one chart is not zoomed", "zoom", "after dragging: requests",
     chart(after="""
        if (at.id === 'chart-requests') { const set = u.setScale; let n = 0; u.setScale = (...a) => n++ || set(...a); }
     """)),
    ("zoomed a little beside", "zoom", "after dragging: swarm",
     chart(after="const to = u.posToVal; u.posToVal = (left, scale) => to(left + 5, scale)")),
    ("the legend hides nothing", "legend-hides", "though hidden",
     chart(after="u.setSeries = () => {}")),
    ("a refresh shows all series", "legend-hides", "again after a refresh",
     chart(after="""
        const set = u.setData;
        const all = () => u.series.forEach((s, i) => i && u.setSeries(i, { show: true }));
        u.setData = (...a) => { set(...a); queueMicrotask(all); };
     """)),
    ("no focus is seen on the legend", "keyboard-order", "series peers has no outline",
     style(".legend button:focus-visible { outline: none !important; }")),
    ("a control is not reached", "keyboard-order", "not theme",
     loaded("document.getElementById('theme').tabIndex = -1")),
    ("arrows do not switch to bars", "keyboard-controls", "for bars",
     deaf("keydown", "e.target.type === 'radio'") + deaf("change", "e.target.type === 'radio'")),
    ("Escape does nothing", "keyboard-cursor", "Escape does not",
     deaf("keydown", "e.key === 'Escape'")),
    ("Shift is not heard", "keyboard-cursor", "the cursors are at",
     "Object.defineProperty(KeyboardEvent.prototype, 'shiftKey', { value: false });"),
    ("too wide for a phone", "phone", "px wide",
     style(".figures { min-width: 420px !important; }")),
    ("too small to touch", "phone", "x36",
     style("select { height: 36px !important; }")),
    ("charts too low", "phone", "px high",
     style(".plot { height: 200px !important; }")),
    ("fingers are not felt", "phone-touch", "under the finger",
     deaf("pointermove", "e.pointerType === 'touch'")
     + deaf("mousemove", "true") + deaf("pointerdown", "e.pointerType === 'touch'")),
    ("too wide for a tablet", "every-width", "480 px",
     style(".controls { min-width: 900px !important; }")),
    ("the theme is forgotten", "themes", "for the theme",
     "Storage.prototype.setItem = () => {};"),
    ("charts keep the old colours", "themes", "the line has the theme's colour",
     chart(after="u.redraw = () => {}")),
    ("pale words", "contrast", "Peers connected",
     style("h2, .quiet { color: #8a9097 !important; }")),
    ("pale lines", "contrast", "the line of scrapes",
     style(":root { --scrapes: #d0b060 !important; }")),
    ("something comes late", "nothing-shifts", "shift",
     loaded("""
        const late = document.createElement('p');
        late.textContent = 'news';
        setTimeout(() => document.body.prepend(late), 150);
     """)),
    ("oldest first", "table", "not first",
     """
        const replace = Element.prototype.replaceChildren;
        Element.prototype.replaceChildren = function (...nodes) {
          replace.apply(this, this.localName === 'tbody' ? [...nodes[0].children].reverse() : nodes);
        };
     """),
    ("one cell is wrong", "table", ", not",
     answer("stats.history.leechers[9] += 1")),
    ("another tracker's announce URL", "new-tracker", "/announce",
     loaded("""
        const change = () => { document.getElementById('announce-url').value = 'http://127.0.0.1:1/announce'; };
        setTimeout(change, 50);
     """)),
    ("a script has run", "hostile-peer", "an alert",
     "setTimeout(() => alert(1), 50);"),
    ("it never tries again", "tracker-gone", "that the tracker is gone",
     """
        const later = window.setTimeout;
        window.setTimeout = (f, ms, ...rest) => (ms === 10000 ? 0 : later(f, ms, ...rest));
     """),
    ("old figures go away", "tracker-gone", "old figures are gone",
     """
        const get = window.fetch;
        const clear = () => { document.querySelector('[data-figure=peers]').textContent = '–'; };
        window.fetch = (...a) => get(...a).catch((e) => { clear(); throw e; });
     """),
    ("the button does nothing", "tracker-gone-retry", "go on at once",
     deaf("click", "e.target.id === 'retry'")),
]
