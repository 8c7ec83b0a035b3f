"""Accessibility of a page by axe-core, made to look at Arabic too, and doubted when it looked at little."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.kit import needs
from tests.e2e.kit.tab import Tab

SOURCE = needs.ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

# axe takes joined Arabic letters for an icon font's ligature and skips the whole font's contrast. Measured
# letter by letter no text is shorter than its letters, and it is looked at.
LETTER_BY_LETTER = """() => {
  if (window.kitMeasures) return;
  window.kitMeasures = true;
  const measure = CanvasRenderingContext2D.prototype.measureText;
  CanvasRenderingContext2D.prototype.measureText = function (text) {
    if (text.length < 2) return measure.call(this, text);
    return { width: [...text].reduce((width, letter) => width + measure.call(this, letter).width, 0) };
  };
}"""

RUN = """async (rules) => {
  const found = await axe.run(document, { runOnly: rules });
  const contrast = (rules) => rules.find((rule) => rule.id === 'color-contrast')?.nodes.length ?? 0;
  return {
    contrast: contrast(found.passes) + contrast(found.violations),
    checked: [...found.passes, ...found.violations].flatMap((rule) => rule.nodes).length,
    violations: found.violations.flatMap((rule) =>
      rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${node.html.slice(0, 120)}`)),
  };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`checked` counts rule and element pairs, `contrast` the texts whose contrast was measured."""

    violations: tuple[str, ...]
    checked: int
    contrast: int


async def findings(tab: Tab, *, rules: tuple[str, ...] = RULES) -> Findings:
    """What axe finds on the page as it is now; `rules` are its tags or ids."""
    await tab.evaluate(LETTER_BY_LETTER)
    await tab.evaluate(f"() => {{ {SOURCE.read_text()} }}")
    found: dict[str, Any] = await tab.evaluate(RUN, list(rules))
    return Findings(
        violations=tuple(found["violations"]), checked=found["checked"], contrast=found["contrast"]
    )


async def is_accessible(tab: Tab, *, texts_min: int) -> None:
    """AssertionError when axe finds anything, or measured the contrast of fewer than `texts_min` texts."""
    found = await findings(tab)
    assert found.violations == (), "\n".join(found.violations)
    assert found.contrast >= texts_min, f"only {found.contrast} texts were looked at, expected {texts_min}"
