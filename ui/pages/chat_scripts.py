"""What the shop's page does in the browser."""

from __future__ import annotations

_REACHED = """
  const reached = await fetch("health", {cache: "no-store"}).then((got) => got.ok, () => false);
  const alarm = document.querySelector("#unreachable");
  alarm.classList.toggle("shown", !reached);
"""

REACH = f"""async (...inputs) => {{
  {_REACHED}
  alarm.retry = () => document.querySelector("#send").click();
  if (!reached) throw new Error("the shop cannot be reached");
  return inputs;
}}"""
"""Before a message leaves: one that cannot reach the server stays in the box, and the page says so."""

CLICK_TO_SAY = f"""
element.addEventListener("click", async (event) => {{
  const said = event.target.closest("[data-say]")?.dataset.say;
  if (said === undefined) return;
  {_REACHED}
  alarm.retry = () => event.target.click();
  following = true;
  if (reached) trigger("click", {{say: said}});
  if (event.detail === 0) document.querySelector("#message textarea, #message input")?.focus();
}});
document.querySelector("#unreachable").addEventListener("click", (event) => {{
  if (event.target.closest("button")) event.currentTarget.retry?.();
}});
"""
"""Stands behind KEEP_AT_END. A click on a yes, a chip or a retry sends its words. Who came there by the keyboard
goes on in the box: what was clicked will be gone."""

DEMONSTRATION = """
const key = "duet-demonstration";
const wide = matchMedia("(min-width: 900px)");
const show = (open) => {
  document.body.classList.toggle("demonstration", open);
  element.querySelector("button")?.setAttribute("aria-expanded", String(open));
};
const wanted = () => localStorage.getItem(key) ?? (wide.matches ? "open" : "shut");
show(wanted() === "open");
watch("value", () => show(wanted() === "open"));
element.addEventListener("click", (event) => {
  if (!event.target.closest("button")) return;
  localStorage.setItem(key, wanted() === "open" ? "shut" : "open");
  show(wanted() === "open");
});
"""
"""The panel is open on wide screens and shut on narrow ones, until somebody has said otherwise."""
