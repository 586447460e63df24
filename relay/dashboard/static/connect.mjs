// Seals the secrets of a login form in the browser. Their inputs have no name, so that they are never sent as they are.
import { seal, fingerprint } from "./seal.mjs";
import { watch } from "./steps.mjs";

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

// sealed puts what was typed into the form's hidden members: settings as they are, secrets sealed.
async function sealed(form, key) {
  const settings = gather(form.querySelectorAll("[data-setting]"), "setting");
  const credentials = gather(form.querySelectorAll("[data-secret]"), "secret");
  const place = { organisation: form.dataset.organisation, site: form.elements.site.value, system: form.elements.system.value, settings };
  form.elements.settings.value = JSON.stringify(settings);
  form.elements.sealed.value = JSON.stringify(await seal(key, place, credentials));
}

// sealForms makes login forms work, and shows the fingerprint of the key that they really seal to.
export function sealForms(tools) {
  for (const form of document.querySelectorAll("form[data-key]")) prepare(form, tools);
}

async function prepare(form, tools) {
  const button = form.querySelector("button[type=submit]"), said = form.querySelector("[data-said]");
  if (!globalThis.crypto?.subtle) {
    said.textContent = "This browser seals a login only over HTTPS, or on the relay's own machine.";
    button.disabled = true;
    return;
  }
  const key = { id: form.dataset.keyId, public_key: form.dataset.key };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const words = button.textContent;
    button.textContent = "Logs in…";
    const into = document.querySelector(form.dataset.steps);
    into.scrollIntoView({ block: "nearest" });
    await sealed(form, key);
    await watch(form, into, tools);
    form.elements.sealed.value = "";
    for (const secret of form.querySelectorAll("[data-secret]")) secret.value = "";
    button.textContent = words;
    button.disabled = false;
    into.scrollIntoView({ block: "start" });
  });
  const shown = document.querySelector("[data-fingerprint]"), made = await fingerprint(key.public_key);
  if (shown.textContent !== made) said.textContent = "This page names another fingerprint than its key has: do not type a secret here.";
  shown.textContent = made;
}
