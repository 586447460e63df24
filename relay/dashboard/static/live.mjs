// Keeps what is shown young. Everything works without it.
import { morph } from "./morph.mjs";
import { keepTimes } from "./times.mjs";
import { follow } from "./events.mjs";
import { watchForms } from "./steps.mjs";
import { copyable } from "./console.mjs";
import { sealForms } from "./connect.mjs";

const parser = new DOMParser();

// parse makes elements of a part of a page; a row of a table needs one around it.
export function parse(html) {
  const rows = html.trimStart().startsWith("<tr");
  const page = parser.parseFromString(rows ? `<table><tbody>${html}</tbody></table>` : html, "text/html");
  return rows ? page.querySelector("tbody") : page.body;
}

// refresh asks for a part of this page anew. The server makes every figure of it.
async function refresh(live) {
  let answer;
  try {
    answer = await fetch(live.dataset.page ?? location.href, { headers: { "Gantry-Part": live.dataset.live } });
  } catch {
    return; // the relay is away for a moment: what is shown stays
  }
  if (answer.redirected) return ended();
  if (!answer.ok) return;
  const fresh = parse(await answer.text());
  morph(live, fresh);
  keepTimes(live);
}

// ended says that nothing here is renewed any more.
export function ended() {
  for (const timer of timers) clearInterval(timer);
  const note = document.querySelector("[data-ended]");
  if (note) note.hidden = false;
}

// offerCopies gives a button to what came later and can be copied.
function offerCopies() {
  for (const text of document.querySelectorAll("pre[data-copy]")) {
    if (navigator.clipboard && !text.closest(".copied")) copyable(text, document, navigator.clipboard);
  }
}

const timers = [];
const lives = [...document.querySelectorAll("[data-live]")];
export const refreshAll = () => Promise.all(lives.map(refresh));

for (const live of lives) {
  timers.push(setInterval(() => { if (!document.hidden) refresh(live); }, 1000 * Number(live.dataset.every)));
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshAll(); });

for (const rows of document.querySelectorAll("[data-stream]")) follow(rows, { parse, ended, changed: refreshAll });
const tools = { parse, after: () => { keepTimes(document); offerCopies(); refreshAll(); } };
watchForms(tools);
sealForms(tools);
keepTimes(document);
setInterval(() => keepTimes(document), 10_000);
