"""The curves of a training as a picture beside its card: SVG, which browsers and git forges show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

FILE_NAME = "curves.svg"
WIDTH, HEIGHT, MARGIN = 640, 280, 46
COLOURS = {"training_loss": "#2563eb", "held_out_loss": "#dc2626"}


def write_curves(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """The losses of each validation, over the steps."""
    (folder / FILE_NAME).write_text(curves(history), encoding="utf-8")


def curves(history: Sequence[Mapping[str, float]]) -> str:
    """An SVG picture; a single validation is a dot."""
    shown = {name: [(row["step"], row[name]) for row in history if name in row] for name in COLOURS}
    steps = [step for points in shown.values() for step, _ in points]
    losses = [loss for points in shown.values() for _, loss in points]
    last, most = max(steps, default=1), max(losses, default=1.0) or 1.0

    def place(step: float, loss: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 2 * MARGIN) * step / last
        return round(x, 1), round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * loss / most, 1)

    left, bottom = place(0, 0)
    right, top = place(last, most)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#94a3b8"/>',
        f'<text x="{left}" y="{bottom + 18}">0</text>',
        f'<text x="{right}" y="{bottom + 18}" text-anchor="end">step {last:g}</text>',
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end">{most:.2f}</text>',
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>',
    ]
    for number, (name, points) in enumerate(shown.items()):
        colour = COLOURS[name]
        line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in (place(*p) for p in points)
        ]
        words = name.replace("_", " ")
        parts.append(
            f'<text x="{right}" y="{top + 14 * number}" text-anchor="end" fill="{colour}">{words}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
