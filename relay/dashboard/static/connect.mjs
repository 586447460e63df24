// Seals the secrets of a login form in the browser. Their inputs have no name, so that they are never sent as they are.
import { seal } from "./seal.mjs";

function value(input) {
  if (input.type === "checkbox") return input.checked;
  if (input.value === "") return undefined;
  return input.type === "number" ? Number(input.value) : input.value;
}

function gather(inputs, by) {
  const members = {};
  for (const input of inputs) {
    const got = value(input);
    if (got !== undefined) members[input.dataset[by]] = got;
  }
  return members;
}

for (const form of document.querySelectorAll("form[data-key]")) {
  const button = form.querySelector("button[type=submit]");
  if (!globalThis.crypto?.subtle) {
    form.querySelector("[data-said]").textContent = "This browser seals a login only over HTTPS, or on the relay's own machine.";
    button.disabled = true;
    continue;
  }
  form.addEventListener("submit", async (event) => {
    if (form.elements.sealed.value) return; // it is sealed, and on its way
    event.preventDefault();
    button.disabled = true;
    button.textContent = "Logs in…";
    const settings = gather(form.querySelectorAll("[data-setting]"), "setting");
    const credentials = gather(form.querySelectorAll("[data-secret]"), "secret");
    const place = { organisation: form.dataset.organisation, site: form.elements.site.value, system: form.elements.system.value, settings };
    const key = { id: form.dataset.keyId, public_key: form.dataset.key };
    form.elements.settings.value = JSON.stringify(settings);
    form.elements.sealed.value = JSON.stringify(await seal(key, place, credentials));
    form.submit();
  });
}
