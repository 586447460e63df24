// Times are relative, and grow older while one reads; whoever points at one sees it exactly, in the reader's own zone.

// ago says how long ago a time is, or how soon it will be, in one unit: the server's own words (pages.go).
export function ago(then, now) {
  const seconds = Math.floor(Math.abs(now - then) / 1000);
  const form = (amount) => (then <= now ? `${amount} ago` : `in ${amount}`);
  if (seconds < 2) return "now";
  if (seconds < 120) return form(`${seconds} s`);
  if (seconds < 7200) return form(`${Math.floor(seconds / 60)} min`);
  if (seconds < 172800) return form(`${Math.floor(seconds / 3600)} h`);
  return form(`${Math.floor(seconds / 86400)} days`);
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function keepTimes(root, now = Date.now()) {
  for (const time of root.querySelectorAll("time")) {
    const then = Date.parse(time.dateTime);
    const words = ago(then, now), title = exact.format(then);
    if (time.textContent !== words) time.textContent = words;
    if (time.title !== title) time.title = title;
  }
}
