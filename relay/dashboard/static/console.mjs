// Small comforts: what can be copied gets a button, and what was asked for says that it is under way. All works without.

// copyable puts a button at a text that is worth copying.
export function copyable(text, document, clipboard) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await clipboard.writeText(text.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  const frame = document.createElement("div");
  frame.className = "copied";
  text.before(frame);
  frame.append(text, button);
  return button;
}

// unsaid leaves out of a form's address what was left empty.
export function unsaid(form) {
  for (const input of form.elements) {
    if (input.name && input.value === "") input.disabled = true;
  }
}

if (globalThis.document) {
  if (navigator.clipboard) {
    for (const text of document.querySelectorAll("pre[data-copy]")) copyable(text, document, navigator.clipboard);
  }
  for (const form of document.querySelectorAll("form[method=get]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("[data-busy]");
      if (button) { button.textContent = button.dataset.busy; button.setAttribute("aria-busy", "true"); }
      unsaid(form);
    });
  }
  // A page that the browser brings back as it was has its inputs again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  // What a form read is shown. The form's address has no fragment: with one, the same call twice would not be made again.
  if (new URLSearchParams(location.search).has("run")) document.getElementById("result")?.scrollIntoView({ block: "nearest" });
}
