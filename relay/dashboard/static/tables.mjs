// Sorts a table and turns its pages without loading the whole page: the server does it, and the part is put in place.

// part finds the same part of a page that was just read.
export function part(page, id) { return id ? page.getElementById(id) : null; }

// refresh puts the part of a page's newer state in place. It gives whether it could.
export async function refresh(id, address, { fetch, parse, document }) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const fresh = answer.ok && !answer.redirected ? part(parse(await answer.text()), id) : null;
  const old = part(document, id);
  if (!fresh || !old) return false;
  old.replaceWith(fresh);
  return true;
}

if (globalThis.document) {
  const tools = { fetch: fetch.bind(globalThis), parse: (text) => new DOMParser().parseFromString(text, "text/html"), document };

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a.sorts");
    const table = link?.closest("[id]");
    if (!link || !table || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const at = [...table.querySelectorAll("a.sorts")].indexOf(link);
    table.setAttribute("aria-busy", "true");
    if (!await refresh(table.id, link.href, tools).catch(() => false)) return location.assign(link.href);
    history.replaceState(null, "", link.href);
    part(document, table.id).querySelectorAll("a.sorts")[at]?.focus();
  });

  // What is under way is looked at again until it is not.
  const watch = () => {
    const busy = document.querySelector("[data-watch]");
    if (!busy) return;
    setTimeout(async () => {
      if (!document.hidden && !busy.contains(document.activeElement)) await refresh(busy.id, location.href, tools).catch(() => false);
      watch();
    }, 1000 * Number(busy.dataset.watch));
  };
  watch();
}
