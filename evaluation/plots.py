"""Small plots as inline SVG, for a page that must open anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

_COLOURS = ("#2f6fde", "#e0762f", "#3a9d5d", "#9a57c7", "#c9a227", "#4aa3b5")
_LABEL_WIDTH, _WIDTH, _ROW = 210, 640, 24
_LETTER = 8  # the width of one, generously


def bars(title: str, labels: Sequence[str], values: Sequence[float], unit: str = "") -> str:
    """Horizontal bars with their figures. Rates (all between 0 and 1) are drawn against 100 %."""
    rates = bool(values) and not unit and all(0 <= value <= 1 for value in values)
    largest = 1.0 if rates else max([*values, 1e-12])
    room = _WIDTH - _LABEL_WIDTH - 90
    left = max(_LABEL_WIDTH, _LETTER * max(map(len, labels), default=0) + 16)
    rows = []
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = 34 + index * _ROW
        width = max(1.0, room * value / largest)
        figure = f"{value:.1%}" if rates else f"{value:.4g}{unit}"
        rows.append(
            f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{left}" y="{y}" width="{width:.1f}" height="16" rx="3" '
            f'fill="{_COLOURS[index % len(_COLOURS)]}"/>'
            f'<text x="{left + width + 6:.1f}" y="{y + 12}">{figure}</text>'
        )
    return _svg(title, 44 + len(values) * _ROW, "".join(rows), left + room + 90)


def reliability(title: str, points: Sequence[tuple[float, float, int]]) -> str:
    """Calibration: (confidence, accuracy, count) of each bin; on the diagonal, confidence is honest."""
    size, left, top = 240, 60, 34
    most = max((count for _, _, count in points), default=1)
    dots = "".join(
        f'<circle cx="{left + size * confidence:.1f}" cy="{top + size * (1 - accuracy):.1f}" '
        f'r="{3 + 7 * (count / most) ** 0.5:.1f}" fill="{_COLOURS[0]}" fill-opacity="0.7">'
        f"<title>{count} cases: confidence {confidence:.2f}, accuracy {accuracy:.2f}</title></circle>"
        for confidence, accuracy, count in points
    )
    frame = (
        f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#bbb"/>'
        f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" stroke="#bbb" '
        'stroke-dasharray="4"/>'
        f'<text x="{left + size / 2}" y="{top + size + 22}" text-anchor="middle">confidence</text>'
        f'<text x="{left - 12}" y="{top + size / 2}" text-anchor="middle" '
        f'transform="rotate(-90 {left - 12} {top + size / 2})">accuracy</text>'
    )
    return _svg(title, size + 80, frame + dots)


def percentiles(title: str, samples: Sequence[float], unit: str) -> str:
    """The distribution of latencies as a curve over percentiles, with p50, p90 and p99 told."""
    ordered = sorted(samples)
    left, top, width, height = 60, 34, 460, 180
    largest = max(ordered[-1], 1e-12)
    count = len(ordered)
    line = " ".join(
        f"{left + width * (index + 0.5) / count:.1f},{top + height * (1 - value / largest):.1f}"
        for index, value in enumerate(ordered)
    )
    marks = ""
    for share in (0.5, 0.9, 0.99):
        value = ordered[min(count - 1, int(share * count))]
        x, y = left + width * share, top + height * (1 - value / largest)
        marks += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_COLOURS[1]}"/>'
            f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="end">'
            f"p{share * 100:.0f} {value:.3g} {unit}</text>"
        )
    frame = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>'
    curve = f'<polyline points="{line}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2"/>'
    return _svg(title, top + height + 20, frame + curve + marks)


def curves(title: str, series: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """(n, value) of each name, both axes logarithmic; the fitted power of n stands behind the name."""
    left, top, width, height, legend = 60, 34, 360, 240, 190
    points = [point for line in series.values() for point in line]
    (low_x, high_x), (low_y, high_y) = (
        (math.log(min(found)), math.log(max(found))) for found in zip(*points, strict=True)
    )

    def place(n: float, value: float) -> tuple[float, float]:
        x = (math.log(n) - low_x) / (high_x - low_x or 1)
        y = (math.log(value) - low_y) / (high_y - low_y or 1)
        return left + width * x, top + height * (1 - y)

    drawn = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>'
    for n in sorted({n for n, _ in points}):
        x, _ = place(n, points[0][1])
        drawn += f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{n:g}</text>'
    for value in (math.exp(low_y), math.exp(high_y)):
        _, y = place(points[0][0], value)
        drawn += f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g} {unit}</text>'
    for index, (name, line) in enumerate(series.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        places = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in line)
        power = f": n^{exponent(line):.2f}" if len(line) > 1 else ""
        drawn += (
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{left + width + 12}" y="{top + 14 + 18 * index}" fill="{colour}">'
            f"{escape(name)}{power}</text>"
        )
    return _svg(title, top + height + 30, drawn, left + width + legend)


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The power of n with which values grow: the slope of the logarithms of (n, value)."""
    logarithms = np.log(points)
    return float(np.polyfit(logarithms[:, 0], logarithms[:, 1], 1)[0])


def _svg(title: str, height: float, content: str, width: float = _WIDTH) -> str:
    width = max(width, _LETTER * len(title) + 16)
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title)}"><text x="8" y="18" class="title">{escape(title)}</text>{content}</svg>'
    )
