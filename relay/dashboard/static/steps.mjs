// Shows what takes its time step by step. Without it the form is sent as any other, and the whole comes at the end.
import { lines, pieces } from "./lines.mjs";

// place puts a step where the one with its id is, or at the end.
function place(list, html, id, parse) {
  const step = parse(html).firstElementChild;
  const former = list.querySelector(`#${CSS.escape(id)}`);
  if (former) former.replaceWith(step);
  else list.append(step);
  // The first that still waits is under way.
  list.querySelector(".step.current")?.classList.remove("current");
  if (!list.querySelector(".step.fail")) list.querySelector(".step.waiting")?.classList.add("current");
}

// watch sends a form, and shows in `into` what is told of it. body: what is sent in the place of the form's own.
export async function watch(form, into, { parse, after }) {
  const list = document.createElement("ol");
  list.className = "steps";
  const road = document.querySelector("template#road");
  if (road && form.hasAttribute("data-road")) list.append(road.content.cloneNode(true));
  list.querySelector(".step.waiting")?.classList.add("current");
  into.replaceChildren(list);
  into.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST", headers: { Accept: "application/x-ndjson" }, body: new URLSearchParams(new FormData(form)),
    });
    if (answer.redirected) return location.assign(answer.url);
    if (!answer.headers.get("Content-Type")?.startsWith("application/x-ndjson")) throw new Error(answer.statusText);
    let whole = false;
    for await (const told of lines(pieces(answer.body))) {
      if (told.id) place(list, told.html, told.id, parse);
      if (told.end === undefined) continue;
      whole = true;
      finish(told, list, into, parse);
    }
    if (!whole) throw new Error("the answer was cut");
    if (!list.querySelector(".fail")) for (const step of list.querySelectorAll(".waiting")) step.remove(); // the way was shorter
    return true;
  } catch (failure) {
    const note = document.createElement("p");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    note.textContent = `The relay's answer did not come to its end (${failure.message}). Look at the connections before you try again.`;
    into.prepend(note);
    return false;
  } finally {
    into.removeAttribute("aria-busy");
    list.querySelector(".step.current")?.classList.remove("current");
    after();
  }
}

// finish shows how it ended: above the steps, or in the place of the page.
function finish(told, list, into, parse) {
  const result = [...parse(told.end).childNodes];
  if (!told.whole) return into.prepend(...result);
  const main = document.querySelector("main");
  main.replaceChildren(...result);
  if (told.title) document.title = told.title;
  if (told.path) history.replaceState(null, "", told.path);
  main.querySelector("h1")?.focus();
}

// watchForms watches the forms that ask for it, also those that come later. Login forms are sealed first (connect.mjs).
export function watchForms(tools) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-steps]:not([data-key])")) return;
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return; // it is under way
    const button = event.submitter ?? form.querySelector("button"), words = button.textContent;
    form.setAttribute("aria-busy", "true");
    button.textContent = button.dataset.busy;
    await watch(form, document.querySelector(form.dataset.steps), tools);
    button.textContent = words;
    form.removeAttribute("aria-busy");
  });
}
