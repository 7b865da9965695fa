"""Bars, as SVG: one panel for each thing that was measured, small is good."""

import xml.etree.ElementTree as ET

WIDTH, NAMES, VALUES, BAR, STEP, HEAD, GAP = 760, 170, 190, 16, 22, 30, 18
STYLE = """
text { font: 13px Helvetica, Arial, sans-serif; fill: #333 }
.title { font-weight: bold }
.faint { fill: #777 }
.bar { fill: #0072b2 } .null { fill: #999 } .ours { fill: #d55e00 }
.spread { stroke: #333; stroke-width: 1.5 }
.back { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .faint { fill: #999 } .spread { stroke: #eee } .back { fill: #161616 }
}
"""
CLASSES = {"null server": "null", "this one": "ours"}


def bars(panels):
    """The picture of `(title, [(name, value, (least, most), reason)])`; without a value, the reason is said."""
    height = sum(HEAD + STEP * len(values) + GAP for _, values in panels) + GAP
    size = {"width": str(WIDTH), "height": str(height), "viewBox": f"0 0 {WIDTH} {height}"}
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img", **size)
    ET.SubElement(svg, "style").text = STYLE
    ET.SubElement(svg, "rect", {"class": "back", "width": str(WIDTH), "height": str(height)})
    top = GAP
    for title, values in panels:
        text(svg, GAP, top + 14, title, "title")
        top += HEAD
        longest = max([(spread or (0, value))[1] for _, value, spread, _ in values if value is not None] or [0]) or 1
        for name, value, spread, reason in values:
            bar(svg, top, name, value, spread, reason, (WIDTH - NAMES - VALUES) / longest)
            top += STEP
        top += GAP
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode") + "\n"


def bar(svg, top, name, value, spread, reason, scale):
    text(svg, NAMES - 8, top + 13, name, anchor="end")
    if value is None:
        # a whole sentence is on the page
        text(svg, NAMES, top + 13, reason if len(reason) <= 60 else "fails", "faint")
        return
    width = max(1, value * scale)
    look = {"class": CLASSES.get(name, "bar"), "x": str(NAMES), "y": str(top)}
    ET.SubElement(svg, "rect", {**look, "width": f"{width:.1f}", "height": str(BAR)})
    end = NAMES + width
    if spread:
        least, most = (f"{NAMES + each * scale:.1f}" for each in spread)
        middle = str(top + BAR // 2)
        ET.SubElement(svg, "line", {"class": "spread", "x1": least, "x2": most, "y1": middle, "y2": middle})
        end = max(end, float(most))
    text(svg, end + 6, top + 13, f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}")


def text(svg, x, y, words, look=None, anchor="start"):
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    if look:
        attributes["class"] = look
    ET.SubElement(svg, "text", attributes).text = words
