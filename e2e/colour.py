"""Colours as browsers compute them, and how well they are told apart."""

import re

NUMBERS = re.compile(r"[\d.]+(?:e-?\d+)?")


def parse(text):
    """(red, green, blue, alpha) of `rgb(…)`, `rgba(…)`, `color(srgb …)` or `#rrggbb`."""
    if text.startswith("#"):
        return (*(int(text[i : i + 2], 16) for i in (1, 3, 5)), 1.0)
    numbers = [float(n) for n in NUMBERS.findall(text.replace("srgb", ""))]
    scale = 255 if text.startswith("color(") else 1
    alpha = numbers[3] if len(numbers) > 3 else 1.0
    return (*(n * scale for n in numbers[:3]), alpha)


def over(front, back):
    """What is seen of a colour in front of an opaque one."""
    alpha = front[3]
    return (*(f * alpha + b * (1 - alpha) for f, b in zip(front[:3], back[:3])), 1.0)


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    """The contrast ratio (WCAG 2.2): from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def distance(one, other):
    """How far two colours are apart, channel by channel."""
    return sum((a - b) ** 2 for a, b in zip(one[:3], other[:3])) ** 0.5
