"""What the code studio does in the browser. Gradio does not tell where a cursor is; its editor (CodeMirror) does."""

from __future__ import annotations

import json


def _editor(element_id: str) -> str:
    return f'document.querySelector("#{element_id} .cm-content")?.cmTile?.root?.view'


SPLIT_AT_CURSOR = f"""(code, _suffix, ...others) => {{
  const state = {_editor("gap")}?.state;
  const text = state ? state.doc.toString() : code ?? "";
  const cursor = state ? state.selection.main.head : text.length;
  window.duetAsked = {{text, cursor}};
  return [text.slice(0, cursor), text.slice(cursor), ...others];
}}"""
"""Without an editor, code goes on at its end."""

SPLIT_AT_SELECTION = f"""(code, _selection, _suffix, ...others) => {{
  const state = {_editor("part")}?.state;
  const text = state ? state.doc.toString() : code ?? "";
  const {{from, to}} = state && !state.selection.main.empty ? state.selection.main : {{from: 0, to: text.length}};
  return [text.slice(0, from), text.slice(from, to), text.slice(to), ...others];
}}"""
"""Without a selection, all is to be edited."""


def put_cursor(element_id: str) -> str:
    """A script that puts an editor's cursor, or with two numbers its selection, where it is told."""
    return f"""(from, to) => {{
  const put = (tries) => {{
    const view = {_editor(element_id)};
    if (view && view.state.doc.length >= (to ?? from)) {{
      view.dispatch({{selection: {{anchor: from, head: to ?? from}}, scrollIntoView: true}});
      view.focus();
    }} else if (tries) setTimeout(put, 50, tries - 1);
  }};
  setTimeout(put, 100, 20);
}}"""


LISTING = """
element.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  await navigator.clipboard.writeText(element.querySelector("code").textContent);
  button.textContent = button.dataset.copied;
});
watch("value", () => {
  const caret = element.querySelector(".caret"), pane = element.querySelector(".listing");
  if (caret) pane.scrollTop = Math.max(pane.scrollTop, caret.offsetTop - pane.clientHeight + 60);
});
"""

SHOW_GHOST = "(text) => window.duetGhost?.show(text)"

_BUTTONS = ["write", "edit", "complete", "translate"]
_PAUSE_MS = 600

KEYS = f"""
const editor = () => {_editor("gap")};
const sheet = document.head.appendChild(document.createElement("style"));
const ghost = window.duetGhost = {{
  text: "",
  show(text) {{
    const view = editor(), asked = window.duetAsked;
    ghost.clear();
    if (!text || !view || !asked) return;
    const {{doc, selection}} = view.state, at = selection.main.head;
    if (doc.toString() !== asked.text || at !== asked.cursor) return;
    const line = view.domAtPos(at).node;
    const row = (line.nodeType === 1 ? line : line.parentElement).closest(".cm-line");
    const number = [...row.parentElement.children].indexOf(row) + 1;
    const rest = doc.sliceString(at, doc.lineAt(at).to).trim();
    const quoted = text.replaceAll("\\\\", "\\\\\\\\").replaceAll('"', '\\\\"').replaceAll("\\n", "\\\\A ");
    const shown = (rest ? "  ⇥ " : "") + quoted;
    // A rule, since the editor takes back whatever else changes its lines.
    sheet.textContent = `#gap .cm-content > :nth-child(${{number}})::after {{ content: "${{shown}}"; }}`;
    ghost.text = text;
    document.querySelector("#gap").classList.add("ghostly");
    view.requestMeasure();
  }},
  clear() {{
    if (!ghost.text) return;
    sheet.textContent = ghost.text = "";
    document.querySelector("#gap").classList.remove("ghostly");
    editor()?.requestMeasure();
  }},
  take() {{
    const view = editor(), text = ghost.text, at = view.state.selection.main.head;
    ghost.clear();
    view.dispatch({{changes: {{from: at, insert: text}}, selection: {{anchor: at + text.length}}, userEvent: "input"}});
    view.focus();
  }},
}};
let pause;
document.addEventListener("keydown", (event) => {{
  const inGap = event.target.closest?.("#gap .cm-content");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {{
    const inResult = event.target.closest?.("#result, #call") && document.querySelector("#run");
    const buttons = {json.dumps(_BUTTONS)}.map((id) => document.getElementById(id));
    const button = inResult || buttons.find((found) => found?.offsetParent);
    if (!button) return;
    button.click();
  }} else if (inGap && ghost.text && event.key === "Tab" && !event.shiftKey) {{
    ghost.take();
  }} else if (inGap && ghost.text && event.key === "Escape") {{
    ghost.clear();
  }} else {{
    if (inGap && !["Shift", "Control", "Alt", "Meta"].includes(event.key)) ghost.clear();
    return;
  }}
  event.preventDefault();
  event.stopImmediatePropagation();
}}, true);
document.addEventListener("mousedown", (event) => event.target.closest?.("#gap .cm-content") && ghost.clear(), true);
document.addEventListener("input", (event) => {{
  if (!event.target.closest?.("#gap .cm-content")) return;
  clearTimeout(pause);
  pause = setTimeout(() => document.querySelector("#suggest").click(), {_PAUSE_MS});
}}, true);
"""
"""Ctrl+Enter does what the tab is for, or runs the result. A suggestion stands grey at the cursor; Tab takes it."""
