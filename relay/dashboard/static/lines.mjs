// Reads a stream of JSON documents, one a line, as they come.

export async function* lines(chunks) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end; (end = rest.indexOf("\n")) >= 0; rest = rest.slice(end + 1)) {
      if (end > 0) yield JSON.parse(rest.slice(0, end));
    }
  }
  if (rest.trim()) throw new Error("the answer was cut within a line");
}

// pieces gives the chunks of an answer's body, also where the browser cannot iterate over it.
export async function* pieces(body) {
  const reader = body.getReader();
  try {
    for (let piece; !(piece = await reader.read()).done; ) yield piece.value;
  } finally {
    reader.releaseLock();
  }
}
