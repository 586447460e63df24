// Keeps what is shown young. Everything works without it.
"use strict";

// A page that waits for something looks again by itself.
for (const waiting of document.querySelectorAll("[data-refresh]")) {
  setInterval(async () => {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector(".empty")) location.assign(location.pathname);
  }, 1000 * Number(waiting.dataset.refresh));
}

// Times are shown in the reader's own zone to those who point at them.
for (const time of document.querySelectorAll("time")) {
  time.title = new Date(time.dateTime).toLocaleString();
}

// What is shown only once can be copied.
for (const text of document.querySelectorAll(".note pre")) {
  const button = document.createElement("button");
  button.className = "plain copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  });
  text.after(button);
}
