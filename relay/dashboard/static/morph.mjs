// Makes what is shown like what came, touching only what differs: the focus, a scrolled table and an open detail stay. What
// is marked data-keep is the reader's own.

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

function attributes(old, fresh) {
  for (const name of old.getAttributeNames()) {
    // What is open, and where the script has put its own marks, is the reader's.
    if (!fresh.hasAttribute(name) && name !== "open" && !name.startsWith("data-")) old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    if (old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
  }
}

// parts are the children that count: the spaces between elements do not.
const parts = (element) => [...element.childNodes].filter((node) => node.nodeType !== 3 || node.nodeValue.trim());

// find gives the child that is to become the i-th, moved there if it stands elsewhere.
function find(have, i, node) {
  const there = node.id ? have.findIndex((child, at) => at > i && child.id === node.id) : -1;
  if (there < 0) return have[i];
  const [moved] = have.splice(there, 1);
  have[i].before(moved);
  have.splice(i, 0, moved);
  return moved;
}

// morph makes the children of one element like those of another.
export function morph(old, fresh) {
  const have = parts(old), want = parts(fresh);
  want.forEach((node, i) => {
    const at = find(have, i, node);
    if (!at) old.append(node);
    else if (!alike(at, node)) at.replaceWith(node);
    else if (at.dataset?.keep !== undefined) return;
    else if (node.nodeType !== 1) {
      if (at.nodeValue !== node.nodeValue) at.nodeValue = node.nodeValue;
    } else {
      attributes(at, node);
      morph(at, node);
    }
  });
  for (const rest of have.slice(want.length)) rest.remove();
}
