// Puts events on top of a table as they come. What one reads does not move: whoever has scrolled down stays where he is.

// kept is how many rows are kept.
const kept = 500;

export function follow(rows, { parse, ended, changed }) {
  const frame = rows.closest(".scroll"), none = document.querySelector("[data-none]");
  const state = document.querySelector("[data-stream-state]");
  let source, last = rows.dataset.after ?? "", soon;

  function add(event) {
    last = event.lastEventId;
    if (document.getElementById(last)) return; // it is there already
    const row = parse(event.data).firstElementChild;
    const before = rows.getBoundingClientRect().top, height = rows.offsetHeight;
    rows.prepend(row);
    row.classList.add("fresh");
    frame.hidden = false;
    none.hidden = true;
    if (before < 0) scrollBy(0, rows.offsetHeight - height); // the reader is below: nothing jumps
    while (rows.rows.length > kept) forget(rows.lastElementChild);
    clearTimeout(soon);
    soon = setTimeout(changed, 300); // what happened may have changed the state
  }

  // forget takes the oldest row away. The way to what is older then begins there.
  function forget(row) {
    row.remove();
    const older = document.querySelector("a[data-older]"), address = older && new URL(older.href);
    address?.searchParams.set("before", rows.lastElementChild.id);
    if (older) older.href = address.href;
  }

  function open() {
    const address = new URL(rows.dataset.stream, location.href);
    if (last) address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("open", () => { state.textContent = "Live"; state.classList.add("on"); });
    source.addEventListener("row", add);
    source.addEventListener("end", () => { close(); ended(); });
    source.addEventListener("error", () => {
      state.classList.remove("on");
      state.textContent = source.readyState === EventSource.CLOSED ? "Not live: reload the page" : "Connects again…";
    });
  }

  function close() {
    source?.close();
    source = undefined;
    state.classList.remove("on");
  }

  // A page that nobody sees holds no connection; it goes on where it was.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  open();
}
